"""What is known of a model on this machine: `llmaas.json` in its folder."""

from __future__ import annotations

import hashlib
from pathlib import Path

import msgspec

from llmaas_server.errors import Problem
from llmaas_server.seam.values import ModelKind, ModelRef

from . import files
from .origin import Origin

FILE_NAME = "llmaas.json"


class FileRecord(msgspec.Struct, frozen=True):
    sha256: str
    bytes: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The content of `llmaas.json`. Written once, when the model is complete."""

    name: str
    kind: ModelKind
    sentence_embeddings: bool
    """Whether the model was trained to embed sentences (it names a pooling)."""
    tasks: tuple[str, ...]
    context: int
    """Most tokens of a sequence."""
    licence: str | None
    created: int
    """When it was pulled; seconds since 1970."""
    source: Origin
    files: dict[str, FileRecord]
    """Path within the folder -> hash and size; all files but the manifest."""


class InstalledModel(Manifest, frozen=True, kw_only=True):
    """A model whose files lie on this machine, complete."""

    path: Path

    @property
    def bytes(self) -> int:
        return sum(record.bytes for record in self.files.values())

    @property
    def ref(self) -> ModelRef:
        return ModelRef(
            self.name, str(self.path), self.kind, self.sentence_embeddings, self.fingerprint
        )

    @property
    def fingerprint(self) -> str:
        """Of the weights and the tokenizer: the same wherever the files came from."""
        hashes = sorted(
            record.sha256
            for name, record in self.files.items()
            if name.endswith((".safetensors", "tokenizer.json"))
        )
        return hashlib.sha256(" ".join(hashes).encode()).hexdigest()


def record_files(folder: Path) -> dict[str, FileRecord]:
    """Hash every file of a model that is about to be published."""
    return {
        name: FileRecord(files.sha256_of(folder / name), (folder / name).stat().st_size)
        for name in files.relative_files(folder)
    }


def write(folder: Path, manifest: Manifest) -> None:
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=2).decode()
    (folder / FILE_NAME).write_text(text + "\n", encoding="utf-8")


def read(folder: Path) -> InstalledModel:
    """Raises Problem `model_broken` where the manifest cannot be read."""
    path = folder / FILE_NAME
    try:
        manifest = msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as error:
        raise Problem(
            "model_broken",
            f"{path} cannot be read: {error}",
            hint=f"Remove the folder {folder}, then pull the model again.",
        ) from error
    values = {field: getattr(manifest, field) for field in manifest.__struct_fields__}
    return InstalledModel(path=folder, **values)


def check_sizes(model: InstalledModel) -> None:
    """Raises Problem `model_broken` for a file that is missing or has another size; quick."""
    for name, record in model.files.items():
        path = model.path / name
        if not path.is_file():
            raise broken(model.name, path, "is missing")
        if (size := path.stat().st_size) != record.bytes:
            raise broken(model.name, path, f"has {size} bytes, and should have {record.bytes}")


def check_hashes(model: InstalledModel) -> None:
    """Raises Problem `model_broken` for the first file that is not what was pulled."""
    check_sizes(model)
    for name, record in model.files.items():
        if files.sha256_of(model.path / name) != record.sha256:
            raise broken(model.name, model.path / name, "has changed: its SHA-256 does not match")
    for name in files.relative_files(model.path):
        if name not in model.files and name != FILE_NAME:
            raise broken(model.name, model.path / name, "is not part of the model")


def broken(name: str, path: Path, what: str) -> Problem:
    return Problem(
        "model_broken",
        f"the model {name} is damaged: {path} {what}",
        hint=f"Run `llmaas models pull {name}` to fetch it anew.",
    )
