"""Documents searched for a question, and an answer cited from what was found."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmaas_server.errors import context_overflow
from llmaas_server.runtime.interface import Floats, Runtime
from llmaas_server.seam.values import Progress
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.grounding.evidence import Grounds
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.sentences import Span, split
from llmaas_server.tasks.text.sources import Source, merge
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_all, embed_chunks

from . import asking, citing, relevance
from .shelf import Shelf


@dataclass(frozen=True, slots=True)
class Given:
    """What the model is given."""

    spans: tuple[Source, ...]
    scores: tuple[float, ...]
    ids: tuple[int, ...]
    """The prompt."""


async def search(
    shelf: Shelf, runtime: Runtime, caller: Caller, meter: Meter
) -> AsyncGenerator[Progress | Given, None]:
    """How far the reading is; then what the model is given."""
    sequences = shelf.windows.sequences
    parts: list[Floats] = []
    done = 0
    chunks = embed_chunks(sequences, shelf.embedder, runtime, caller, meter)
    async with aclosing(chunks):
        async for vectors in chunks:
            parts.append(vectors)
            done += len(vectors)
            yield Progress("reading", done, len(sequences))
    asked = await embed_all(shelf.questions.sequences, shelf.embedder, runtime, caller, meter)
    yield await asyncio.to_thread(_given, shelf, parts, shelf.questions.pool(asked))


def _given(shelf: Shelf, parts: Sequence[Floats], asked: Floats) -> Given:
    """As many of the relevant passages as there is room for."""
    vectors = shelf.windows.pool(np.concatenate(parts))
    grounds = Grounds(shelf.texts, shelf.spans, vectors)
    scored = relevance.scores(asking.ways_to_ask(shelf.messages), asked, grounds)
    order = relevance.relevant(scored, shelf.most_given)
    for count in range(len(order), -1, -1):
        spans = merge(shelf.spans[index] for index in order[:count])
        best = {
            one: max(float(scored[i]) for i in order[:count] if _within(shelf.spans[i], one))
            for one in spans
        }
        spans = sorted(spans, key=lambda one: (-best[one], one))
        ids = tuple(shelf.encode(asking.with_passages(shelf.messages, _told(shelf, spans))))
        if len(ids) <= shelf.most_tokens:
            return Given(tuple(spans), tuple(best[one] for one in spans), ids)
    raise context_overflow(len(ids), shelf.most_tokens, "the conversation with a passage")


async def cite(
    answer: str, given: Given, shelf: Shelf, runtime: Runtime, caller: Caller, meter: Meter
) -> dict[str, Any]:
    """`passages`, `citations` and `unsupported` of a result."""
    listed = [
        {**citing.span(source, shelf.documents), "score": score}
        for source, score in zip(given.spans, given.scores, strict=True)
    ]
    if not shelf.cites:
        return {"passages": listed}
    sentences = citing.sentences_of_answer(answer)
    if not given.spans or not sentences:
        return {"passages": listed, **citing.uncited(answer, sentences)}
    texts = shelf.texts
    spans = [
        Source(source.document, source.start + one.start, source.start + one.end)
        for source in given.spans
        for one in split(source.text(texts))
    ]
    embedder = shelf.embedder
    grounds_read = await asyncio.to_thread(
        read, [one.text(texts).strip() for one in spans], embedder.tokenizer, embedder.context
    )
    claims_read, checked = await asyncio.to_thread(_claims, answer, sentences, shelf)
    both = [*grounds_read.sequences, *claims_read.sequences]
    vectors = await embed_all(both, embedder, runtime, caller, meter)
    parted = len(grounds_read.sequences)
    grounds = Grounds(texts, spans, grounds_read.pool(vectors[:parted]))
    found = await asyncio.to_thread(
        citing.cited, answer, checked, claims_read.pool(vectors[parted:]), grounds, shelf.documents
    )
    return {"passages": listed, **found}


def _claims(answer: str, sentences: Sequence[Span], shelf: Shelf) -> tuple[Windows, list[Span]]:
    """The sentences of the answer that can be checked within the bound: all, but for oddities."""
    kept = list(sentences)
    while True:
        texts = [answer[one.start : one.end] for one in kept]
        windows = read(texts, shelf.embedder.tokenizer, shelf.embedder.context)
        if windows.tokens <= shelf.most_checked:
            return windows, kept
        kept.pop()


def _told(shelf: Shelf, spans: Sequence[Source]) -> list[tuple[str | None, str]]:
    texts = shelf.texts
    return [(shelf.documents[one.document].title, one.text(texts).strip()) for one in spans]


def _within(inner: Source, outer: Source) -> bool:
    return (
        inner.document == outer.document and outer.start <= inner.start and inner.end <= outer.end
    )
