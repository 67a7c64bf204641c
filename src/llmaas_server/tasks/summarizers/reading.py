"""How the source comes before the model that writes: whole, in an excerpt, or in parts."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Literal, Protocol

from llmaas_server.seam.values import Progress
from llmaas_server.tasks.text.sources import Source

from .author import Author
from .quotes import Quotes
from .writers import Writer

Strategy = Literal["whole", "extract", "hierarchical"]


@dataclass(frozen=True, slots=True)
class Page:
    """What the last prompt holds: the source itself, or summaries of its parts."""

    text: str
    ids: tuple[int, ...]
    """Of the whole prompt."""
    sources: tuple[Source, ...]
    """The spans that the writing model read, in order."""


class Reading(Protocol):
    """One way to read. All of it is known before but what a model says."""

    @property
    def strategy(self) -> Strategy: ...

    @property
    def writer(self) -> Writer:
        """Writes the summary."""

    @property
    def searched(self) -> tuple[Source, ...]:
        """What the model of sentence vectors reads to pick from."""

    @property
    def parts(self) -> int:
        """In how many prompts the source is read."""

    @property
    def prompt_tokens(self) -> int:
        """Most tokens of all prompts, the last one included."""

    @property
    def completion_tokens(self) -> int:
        """Most tokens that are written only to be read again."""

    def read(self, author: Author, quotes: Quotes | None) -> AsyncGenerator[Progress | Page, None]:
        """How far it has come, and at last the page."""


@dataclass(frozen=True, slots=True)
class Whole:
    """All of the source in one prompt."""

    writer: Writer
    page: Page

    strategy: Strategy = "whole"
    searched: tuple[Source, ...] = ()
    parts: int = 1
    completion_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return len(self.page.ids)

    async def read(
        self, author: Author, quotes: Quotes | None
    ) -> AsyncGenerator[Progress | Page, None]:
        yield self.page
