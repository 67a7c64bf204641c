"""Embed: texts as unit vectors, near each other where their meanings are."""

from __future__ import annotations

from .base import Result, TaskRequest, Texts
from .spec import TaskSpec


class EmbedRequest(TaskRequest):
    """One text or a batch."""

    text: Texts


class EmbedResult(Result):
    """One vector per text, in the order of the texts, each of length 1."""

    embeddings: list[list[float]]

    @property
    def embedding(self) -> list[float]:
        """The vector of the first text."""
        return self.embeddings[0]


SPEC = TaskSpec("embed", EmbedRequest, EmbedResult, streams=False)
