"""Files of a model: which ones belong to it, their hashes, and writing them so that they last."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import IO

from llmaas_server.errors import Problem

CHUNK = 1 << 20

_WEIGHTS = re.compile(r"model(-\d{5}-of-\d{5})?\.safetensors")
_PICKLES = {".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle"}
_TEXTS = {".json", ".txt", ".model", ".jinja"}
_LEGAL = re.compile(r"(readme|licen[cs]e|notice|use_policy)(\.md|\.txt)?", re.IGNORECASE)
_POOLING = "1_Pooling/config.json"


def is_weights(path: str) -> bool:
    """The safetensors that transformers loads; not variants, adapters or other runtimes' copies."""
    return _WEIGHTS.fullmatch(path) is not None


def belongs(path: str) -> bool:
    """Whether a file of a model folder (path relative to it) is part of the model.

    Weights as safetensors, configuration, tokenizer and licence; never pickle, never code.
    """
    if path == _POOLING or is_weights(path) or _LEGAL.fullmatch(path):
        return True
    file = PurePosixPath(path)
    return len(file.parts) == 1 and file.suffix in _TEXTS and not path.startswith(".")


def choose(paths: Iterable[str], where: str) -> list[str]:
    """The files of a model among `paths`. Raises Problem `model_broken` where they are none that
    can be used."""
    paths = sorted(paths)
    chosen = [path for path in paths if belongs(path)]
    ggufs = [path for path in paths if path.endswith(".gguf")]
    if ggufs and not any(is_weights(path) for path in chosen):
        raise Problem(
            "model_broken",
            f"{where} holds GGUF files ({ggufs[0]}), and a model is one of them",
            hint="Choose one: `llmaas models import FILE.gguf` takes it in.",
        )
    if "config.json" not in chosen:
        raise Problem(
            "model_broken",
            f"{where} has no config.json",
            hint="It is not a model that transformers can load; choose another one.",
        )
    if any(is_weights(path) for path in chosen):
        return chosen
    pickles = [path for path in paths if PurePosixPath(path).suffix in _PICKLES]
    if pickles:
        raise Problem(
            "model_broken",
            f"{where} has its weights as pickle only ({pickles[0]}), which can run any code",
            hint="Choose a model, or a revision (NAME@REVISION), that has model.safetensors.",
        )
    raise Problem(
        "model_broken",
        f"{where} has no model.safetensors",
        hint="Weights must be model.safetensors, whole or in shards, or one GGUF file.",
    )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy(source: IO[bytes], target: Path) -> None:
    """Write `source` to the new file `target`; makes the folders in between."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        shutil.copyfileobj(source, out, CHUNK)


def sync(path: Path) -> None:
    """Make the content of a file, or the names in a folder, last through a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def relative_files(folder: Path) -> list[str]:
    """Paths of all files under `folder`, relative to it, sorted."""
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )
