"""Abstractive: a model writes the summary, of the whole, of an excerpt, or of summaries of parts.

Where there is a model of sentence vectors, every sentence is then held against the source.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.sources import sentences_of

from . import extractive
from .adding import Adding, adding_for
from .author import Author
from .checking import Checking
from .draft import Draft
from .extractive import ExtractivePrompt, SourceVectors
from .outcome import Outcome
from .prompts import Brief
from .quotes import Quotes
from .reading import Page, Reading
from .shape import documents_of, shape_of
from .strategy import reading_of
from .writing import Writing


@dataclass(frozen=True, slots=True)
class AbstractivePrompt:
    documents: tuple[str, ...]
    reading: Reading
    adding: Adding
    checking: Checking | None
    """None where there is no model of sentence vectors."""

    @property
    def prompt_tokens(self) -> int:
        checked = self.checking.prompt_tokens if self.checking else 0
        return self.reading.prompt_tokens + self.adding.prompt_tokens + checked

    @property
    def max_completion_tokens(self) -> int:
        written = self.reading.writer.answer_tokens + self.adding.completion_tokens
        return self.reading.completion_tokens + written


def prompt(request: SummarizeRequest, model: Model, embedder: Model | None) -> AbstractivePrompt:
    documents = documents_of(request)
    shape = shape_of(request)
    source = extractive.read_source(request, embedder) if embedder is not None else None
    brief = Brief(shape, request.focus, len(documents))
    reading = reading_of(request, model, brief, source)
    enough = -(-len(sentences_of(documents)) // 2)
    adding = adding_for(model, brief, min(shape.sentences, enough), reading.writer.room)
    checking: Checking | None = None
    if source is not None and embedder is not None:
        checking = Checking(source, embedder, request.strict)
    return AbstractivePrompt(documents, reading, adding, checking)


async def run(
    prompt: AbstractivePrompt, model: Model, runtime: Runtime, caller: Caller
) -> AsyncGenerator[Delta | Progress | Result, None]:
    meter = Meter()
    author = Author(model, runtime, caller, meter)
    checking = prompt.checking
    quotes: Quotes | None = None
    if checking is not None:
        quotes = Quotes(checking.source, checking.embedder, runtime, caller, meter)
    page: Page | None = None
    async with aclosing(prompt.reading.read(author, quotes)) as reading:
        async for event in reading:
            if isinstance(event, Page):
                page = event
            else:
                yield event
    if page is None:
        raise RuntimeError("a source was read to no end")

    shape, strict = prompt.reading.writer.brief.shape, checking is not None and checking.strict
    writing = Writing(shape, echoes=prompt.reading.writer.echoes)
    async with aclosing(_write(prompt, page, writing, author)) as gains:
        async for gained in gains:
            if not strict:  # else some of it may be dropped
                yield Delta(gained)

    draft = Draft(tuple(writing.sentences))
    chosen: list[int] = []
    if checking is not None and quotes is not None:
        async with aclosing(quotes.read("checking")) as progress:
            async for step in progress:
                yield step
        draft = await checking.check(draft, quotes.vectors, runtime, caller, meter)
        yield Progress("checking", len(writing.sentences), len(writing.sentences))
        if not draft.sentences:
            chosen = await asyncio.to_thread(_quotable, checking.source, quotes.vectors)

    outcome = Outcome(prompt.documents, prompt.reading, page, prompt.adding, draft, model.ref.name)
    if checking is not None and chosen:
        for piece in extractive.pieces(checking.source, chosen):
            yield Delta(piece)
        yield meter.result(outcome.quoted(checking.source, chosen))
        return
    if strict:
        for piece in draft.pieces(shape):
            yield Delta(piece)
    yield meter.result(outcome.written())


async def _write(
    prompt: AbstractivePrompt, page: Page, writing: Writing, author: Author
) -> AsyncGenerator[str, None]:
    """What the summary gains, as the model writes it, and then of what it left out."""
    if not page.text:
        return
    async with aclosing(author.write(page.ids, prompt.reading.writer, writing)) as gains:
        async for gained in gains:
            yield gained
    if prompt.adding.missing(writing):
        async with aclosing(prompt.adding.add(page.text, writing, author)) as gains:
            async for gained in gains:
                yield gained


def _quotable(source: ExtractivePrompt, vectors: SourceVectors) -> list[int]:
    """Sentences of the source; none where max_words has no room for one."""
    most = source.shape.max_words
    if most is not None and most < min(candidate.cost for candidate in source.candidates):
        return []
    return extractive.choose(source, vectors)
