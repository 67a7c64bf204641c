"""The source in parts, read all at once; their summaries are merged in rounds until one prompt
holds them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llmaas_server.seam.values import Progress
from llmaas_server.tasks.concurrent import as_they_end
from llmaas_server.tasks.text.sources import Source

from .author import Author
from .parts import Part
from .quotes import Quotes
from .reading import Page, Strategy
from .rounds import SEPARATOR_TOKENS, joined, most_answers, next_round
from .writers import Writer


@dataclass(frozen=True, slots=True)
class Hierarchical:
    parts_read: tuple[Part, ...]
    reader: Writer
    """Writes the summaries of parts."""
    writer: Writer
    """Writes the summary."""

    strategy: Strategy = "hierarchical"
    searched: tuple[Source, ...] = ()

    @property
    def parts(self) -> int:
        return len(self.parts_read)

    @property
    def prompt_tokens(self) -> int:
        """Exact for the parts; a bound for their summaries, which are not written yet."""
        read = sum(len(part.prompt) for part in self.parts_read)
        frame = max(self.reader.frame_tokens, self.writer.frame_tokens)
        merged = self._most_written * (self.reader.answer_tokens + SEPARATOR_TOKENS)
        return read + merged + frame * sum(self._rounds)

    @property
    def completion_tokens(self) -> int:
        return self._most_written * self.reader.answer_tokens

    @property
    def _most_written(self) -> int:
        """Most summaries that are written only to be merged."""
        return self.parts + sum(self._rounds[:-1])

    @property
    def _rounds(self) -> list[int]:
        return most_answers(self.parts, self.reader, self.writer)

    async def read(
        self, author: Author, quotes: Quotes | None
    ) -> AsyncGenerator[Progress | Page, None]:
        stage, asked = "reading", [part.prompt for part in self.parts_read]
        names = [part.name for part in self.parts_read]
        summaries: list[str] = []
        while asked:
            summaries = [""] * len(asked)
            answers = (author.summary(ids, self.reader) for ids in asked)
            done = 0
            async with aclosing(as_they_end(answers)) as ended:
                async for index, summary in ended:
                    summaries[index] = f"{names[index]}{summary}" if summary else ""
                    done += 1
                    yield Progress(stage, done, len(asked))
            stage = "merging"
            # Tokenizing beside the event loop, as everywhere.
            asked = await asyncio.to_thread(next_round, summaries, self.reader, self.writer)
            names = [""] * len(asked)
        text = joined(summaries)
        sources = tuple(source for part in self.parts_read for source in part.sources)
        yield Page(text, self.writer.prompt(text, merging=True), sources)
