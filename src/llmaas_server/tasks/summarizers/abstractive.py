"""Abstractive: a model writes the summary, of the whole or, part by part, of its summaries.

A source longer than a prompt is read in parts, all at once; their summaries are merged in rounds
until one prompt holds them. Every sentence rests on all parts that its last prompt came from.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finish, Finished, Generation
from llmaas_server.seam.values import Delta, Progress, Result
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.concurrent import as_they_end
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.sources import coverage

from .parts import Part, split_source
from .rounds import SEPARATOR_TOKENS, joined, most_answers, next_round
from .shape import Shape, documents_of, shape_of
from .writers import Writer, writer_for
from .writing import Writing

PART_SHAPE = Shape(sentences=4)
"""The form of the summary of a part."""


@dataclass(frozen=True, slots=True)
class AbstractivePrompt:
    documents: tuple[str, ...]
    shape: Shape
    last: Writer
    """Writes the summary."""
    reader: Writer | None
    """Writes the summaries of parts, where there are several."""
    parts: tuple[Part, ...]

    @property
    def prompt_tokens(self) -> int:
        """Exact for one part; else a bound: the summaries to be merged are not written yet."""
        read = sum(len(part.prompt) for part in self.parts)
        if self.reader is None:
            return read
        frame = max(len(writer.prompt("", merging=True)) for writer in (self.reader, self.last))
        merged = self._most_written * (self.reader.answer_tokens + SEPARATOR_TOKENS)
        return read + merged + frame * sum(self._rounds)

    @property
    def max_completion_tokens(self) -> int:
        if self.reader is None:
            return self.last.answer_tokens
        return self._most_written * self.reader.answer_tokens + self.last.answer_tokens

    @property
    def _most_written(self) -> int:
        """Most summaries that are written only to be merged."""
        return len(self.parts) + sum(self._rounds[:-1])

    @property
    def _rounds(self) -> list[int]:
        return most_answers(len(self.parts), self.reader or self.last, self.last)


def prompt(request: SummarizeRequest, model: Model) -> AbstractivePrompt:
    documents = documents_of(request)
    shape = shape_of(request)
    last = writer_for(model, shape)
    parts = split_source(documents, last, model.tokenizer)
    if len(parts) == 1:
        return AbstractivePrompt(documents, shape, last, None, tuple(parts))
    reader = writer_for(model, PART_SHAPE)
    parts = split_source(documents, reader, model.tokenizer)
    return AbstractivePrompt(documents, shape, last, reader, tuple(parts))


async def run(
    prompt: AbstractivePrompt, model: Model, runtime: Runtime, caller: Caller
) -> AsyncGenerator[Delta | Progress | Result, None]:
    meter = Meter()
    author = _Author(model, runtime, caller, meter)
    ids = prompt.parts[0].prompt
    if prompt.reader is not None:
        # Rounds of answers, all of a round at once: first of the parts, then of their summaries.
        stage, asked = "reading", [part.prompt for part in prompt.parts]
        summaries: list[str] = []
        while asked:
            summaries = [""] * len(asked)
            answers = (author.summary(ids, prompt.reader) for ids in asked)
            done = 0
            async with aclosing(as_they_end(answers)) as ended:
                async for index, summary in ended:
                    summaries[index] = summary
                    done += 1
                    yield Progress(stage, done, len(asked))
            stage = "merging"
            # Tokenizing beside the event loop, as everywhere.
            asked = await asyncio.to_thread(next_round, summaries, prompt.reader, prompt.last)
        ids = prompt.last.prompt(joined(summaries), merging=True)
    writing = Writing(prompt.shape)
    async with aclosing(author.write(ids, prompt.last, writing)) as gains:
        async for gained in gains:
            yield Delta(gained)
    yield meter.result(_body(prompt, writing))


class _Author:
    """Generates for one call."""

    def __init__(self, model: Model, runtime: Runtime, caller: Caller, meter: Meter) -> None:
        self._model = model
        self._runtime = runtime
        self._caller = caller
        self._meter = meter

    async def write(
        self, ids: tuple[int, ...], writer: Writer, writing: Writing
    ) -> AsyncGenerator[str, None]:
        """Fill `writing` until it is full or the model is done; yields what it gains."""
        generation = Generation(
            prompt=ids,
            max_tokens=writer.answer_tokens,
            sampling=writer.sampling,
            stop_ids=self._model.stop_ids,
            tenant=self._caller.tenant,
            deadline=self._caller.deadline,
        )
        text = self._model.tokenizer.stream()
        complete = False
        tokens = self._meter.generate(self._runtime, self._model, generation)
        async with aclosing(tokens) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    complete = item.reason is Finish.STOP
                elif gained := writing.push(text.push(item.id)):
                    yield gained
                if writing.full:
                    return
        gained = writing.push(text.finish()) + writing.finish(complete=complete)
        if gained:
            yield gained

    async def summary(self, ids: tuple[int, ...], reader: Writer) -> str:
        """The summary of a part; never longer than the room that the merging plans for it."""
        writing = Writing(PART_SHAPE)
        async with aclosing(self.write(ids, reader, writing)) as gains:
            async for _ in gains:
                pass
        tokenizer = self._model.tokenizer
        written = tokenizer.encode(writing.summary, special=False)
        if len(written) <= reader.answer_tokens:
            return writing.summary
        return tokenizer.decode(written[: reader.answer_tokens])


def _body(prompt: AbstractivePrompt, writing: Writing) -> dict[str, Any]:
    read = [source for part in prompt.parts for source in part.sources]
    sources = [source.wire() for source in read]
    return {
        "summary": writing.summary,
        "sentences": [
            {"text": sentence, "sources": sources, "support": None}
            for sentence in writing.sentences
        ],
        "coverage": coverage(read, prompt.documents),
        "method": "abstractive",
        "words": words.count(writing.summary),
        "parts": len(prompt.parts),
    }
