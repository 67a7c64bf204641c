"""Sentences that are still missing: of a text that a model summed up in fewer than were asked for,
each section is summed up by itself."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import pairwise

from llmaas_server.runtime.interface import Model
from llmaas_server.tasks.concurrent import as_they_end
from llmaas_server.tasks.text.sentences import split

from .author import Author
from .prompts import Brief
from .writers import Writer, writer_for
from .writing import Writing

PER_SECTION = 2
"""Sentences; about what a small model writes well of one prompt."""

NEAR_ENOUGH = 1
"""Sentences that may be missing."""

REPETITION_PENALTY = 1.15
"""Higher than at first: whoever stopped early or turned in circles would do it again."""


@dataclass(frozen=True, slots=True)
class Adding:
    writer: Writer
    wanted: int
    """Sentences, as far as the source has enough for so many."""
    text_tokens: int
    """Most tokens of the text that the sections are of."""

    @property
    def prompt_tokens(self) -> int:
        return self.text_tokens + self._most_sections * self.writer.frame_tokens

    @property
    def completion_tokens(self) -> int:
        return self._most_sections * self.writer.answer_tokens

    @property
    def _most_sections(self) -> int:
        return self._sections(self.wanted)

    def missing(self, writing: Writing) -> int:
        """How many more sentences are to be written; none where it is near enough."""
        missing = self.wanted - len(writing.sentences)
        # A summary without a sentence is never near enough.
        near = missing <= NEAR_ENOUGH or writing.nearly_full
        return 0 if near and writing.sentences else max(0, missing)

    async def add(self, text: str, writing: Writing, author: Author) -> AsyncGenerator[str, None]:
        """What the summary gains of each section of `text`, in their order."""
        prompts = list(self._prompts(text, self._sections(self.missing(writing))))
        written: dict[int, Sequence[str]] = {}
        answers = (author.written(ids, self.writer) for ids in prompts)
        following = 0
        async with aclosing(as_they_end(answers)) as ended:
            async for index, answer in ended:
                written[index] = answer.sentences
                while following in written:
                    if gained := writing.extend(written[following]):
                        yield gained
                    following += 1

    def _prompts(self, text: str, sections: int) -> Iterator[tuple[int, ...]]:
        """As many as keep what was planned for them."""
        left = self.prompt_tokens
        for section in _sections(text, sections):
            ids = self.writer.prompt(section)
            if len(ids) <= left and self.writer.fits(ids):
                left -= len(ids)
                yield ids

    @staticmethod
    def _sections(missing: int) -> int:
        return -(-missing // PER_SECTION)


def adding_for(model: Model, brief: Brief, wanted: int, text_tokens: int) -> Adding:
    shape = brief.shape
    most = min(PER_SECTION, shape.sentences)
    writer = writer_for(model, replace(brief, shape=replace(shape, sentences=most)))
    writer.sampling = replace(writer.sampling, repetition_penalty=REPETITION_PENALTY)
    return Adding(writer, wanted, text_tokens)


def _sections(text: str, most: int) -> Iterator[str]:
    """At most so many, of as many sentences each."""
    spans = split(text)
    count = min(most, len(spans))
    borders = [len(spans) * i // count for i in range(count + 1)] if count else []
    for start, end in pairwise(borders):
        yield text[spans[start].start : spans[end - 1].end].strip()
