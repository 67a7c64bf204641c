"""Tiny models behind a front: its store, and its settings."""

from __future__ import annotations

from pathlib import Path

from llmaas_server.errors import model_not_found
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import ModelRef
from llmaas_server.settings import Settings

from . import tiny


class TinyShelf:
    """A decoder and a model of sentence vectors, made here."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        refs = [tiny.llama(folder / "decoder"), tiny.embedder(folder / "embedder")]
        self._refs = {ref.name: ref for ref in refs}
        self.decoder, self.embedder = self._refs

    def ref(self, name: str) -> ModelRef:
        if name not in self._refs:
            raise model_not_found(name, self._refs)
        return self._refs[name]

    def installed(self) -> list[InstalledModel]:
        return []

    def settings(self) -> Settings:
        """Of a front whose tasks go to these models."""
        return Settings(
            home=self._folder / "home",
            cache=self._folder / "cache",
            device="cpu",
            threads=1,
            chat_model=self.decoder,
            summarize_model=self.embedder,
            embed_model=self.embedder,
        )
