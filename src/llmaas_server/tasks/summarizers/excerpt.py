"""What a prompt holds of a source that is longer: the sentences that say the most of it, or of what
the summary is to be about, in the order of the text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace

from llmaas_server.seam.values import Progress
from llmaas_server.tasks.text.sources import Source, merge

from .author import Author
from .extractive import ExtractivePrompt, SourceVectors
from .prompts import rendered
from .quotes import Quotes
from .reading import Page, Strategy
from .selection import salience, select
from .writers import Writer

BETWEEN_TOKENS = 2
"""That a sentence gains by standing in the prompt: the white space before it."""

SMALLER = 0.9
"""The room, where the tokens of the whole turn out to be more than those of its sentences, as they
do with the names of many documents."""


@dataclass(frozen=True, slots=True)
class Excerpt:
    source: ExtractivePrompt
    lengths: tuple[int, ...]
    """Tokens of each sentence, for the model that writes."""
    writer: Writer
    most_sentences: int | None = None

    strategy: Strategy = "extract"
    parts: int = 1
    completion_tokens: int = 0

    @property
    def searched(self) -> tuple[Source, ...]:
        return self.source.sentences

    @property
    def prompt_tokens(self) -> int:
        return self.writer.frame_tokens + self.writer.room

    async def read(
        self, author: Author, quotes: Quotes | None
    ) -> AsyncGenerator[Progress | Page, None]:
        if quotes is None:
            raise RuntimeError("an excerpt is picked by sentence vectors")
        async with aclosing(quotes.read("reading")) as progress:
            async for event in progress:
                yield event
        yield await asyncio.to_thread(self._page, quotes.vectors)

    def _page(self, vectors: SourceVectors) -> Page:
        room = self.writer.room
        while True:
            sources = merge(self._pick(vectors, room))
            text = rendered(sources, self.source.documents, named=self._named)
            ids = self.writer.prompt(text)
            if self.writer.fits(ids):
                return Page(text, ids, tuple(sources))
            room = int(room * SMALLER)

    def _pick(self, vectors: SourceVectors, room: int) -> list[Source]:
        """The best sentences that fit; of one that is longer than the room, its beginning."""
        source = self.source
        candidates = [
            replace(candidate, cost=length + BETWEEN_TOKENS)
            for candidate, length in zip(source.candidates, self.lengths, strict=True)
        ]
        most = len(candidates) if self.most_sentences is None else self.most_sentences
        salient = salience(vectors.sentences, candidates, vectors.focus)
        chosen = select(vectors.sentences, candidates, salient, most, max(1, room))
        if chosen:
            return [source.sentences[index] for index in chosen]
        best = source.sentences[int(salient.argmax())]
        share = room / max(1, self.lengths[int(salient.argmax())])
        end = best.start + max(1, int((best.end - best.start) * share * SMALLER))
        return [Source(best.document, best.start, end)]

    @property
    def _named(self) -> bool:
        return len(self.source.documents) > 1 and self.writer.instructed
