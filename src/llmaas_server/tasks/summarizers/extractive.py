"""Extractive: every sentence of the summary stands in the source, word for word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.sources import Source, coverage, sentences_of
from llmaas_server.tasks.text.windows import Windows, read
from llmaas_server.tasks.vectors import embed_chunks

from .focus import Focus
from .selection import Candidate, salience, select
from .shape import Shape, documents_of, shape_of

MAX_SENTENCES = 50_000
"""About 2000 pages; the vectors of all are in memory at once."""

HEADLINE_WORDS = 20
"""A headline is no longer, where the text has a sentence that is not."""


@dataclass(frozen=True, slots=True)
class SourceVectors:
    sentences: Floats  # [sentences, hidden]
    focus: Focus | None


@dataclass(frozen=True, slots=True)
class ExtractivePrompt:
    documents: tuple[str, ...]
    sentences: tuple[Source, ...]
    candidates: tuple[Candidate, ...]
    windows: Windows
    """Of the sentences, and last of what the summary is to be about, where that is stated."""
    shape: Shape
    focus: str | None = None

    @property
    def prompt_tokens(self) -> int:
        return self.windows.tokens

    @property
    def max_completion_tokens(self) -> int:
        return 0

    def pool(self, parts: Sequence[Floats]) -> SourceVectors:
        """Vectors of the windows, in the chunks that they were embedded in -> of the texts."""
        pooled = self.windows.pool(np.concatenate(parts))
        if self.focus is not None:
            return SourceVectors(pooled[:-1], Focus(self.focus, pooled[-1]))
        return SourceVectors(pooled, None)

    @property
    def most_sentences(self) -> int:
        """A summary is shorter than its text: it takes half of the sentences at most."""
        return min(self.shape.sentences, -(-len(self.sentences) // 2))

    @property
    def word_budget(self) -> int | None:
        if self.shape.style != "headline":
            return self.shape.max_words
        shortest = min(candidate.cost for candidate in self.candidates)
        own = max(HEADLINE_WORDS, shortest)
        return own if self.shape.max_words is None else min(own, self.shape.max_words)


def prompt(request: SummarizeRequest, model: Model) -> ExtractivePrompt:
    """Raises Problem `invalid_request` where no sentence is short enough for max_words."""
    prompt = read_source(request, model)
    shortest = min(candidate.cost for candidate in prompt.candidates)
    most = prompt.shape.max_words
    if most is not None and shortest > most:
        raise Problem(
            "invalid_request",
            f"max_words is {most}, and the shortest sentence of the text has {shortest}",
            hint=f"Raise max_words to {shortest} or more, or choose method=abstractive.",
            param="max_words",
        )
    return prompt


def read_source(request: SummarizeRequest, model: Model) -> ExtractivePrompt:
    """Sentences longer than the context are read in windows, and their vectors averaged."""
    documents = documents_of(request)
    shape = shape_of(request)
    sentences = tuple(sentences_of(documents))
    if len(sentences) > MAX_SENTENCES:
        raise Problem(
            "invalid_request",
            f"the text has {len(sentences)} sentences, and {MAX_SENTENCES} is the most",
            hint="Split the text into several requests.",
            param="text",
        )
    texts = [sentence.text(documents).strip() for sentence in sentences]
    candidates = tuple(_candidates(sentences, texts, shape))
    focus = request.focus and request.focus.strip()
    windows = read([*texts, focus] if focus else texts, model.tokenizer, model.context)
    return ExtractivePrompt(documents, sentences, candidates, windows, shape, focus)


def _candidates(
    sentences: Sequence[Source], texts: Sequence[str], shape: Shape
) -> Iterator[Candidate]:
    first: dict[int, int] = {}
    for index, (sentence, text) in enumerate(zip(sentences, texts, strict=True)):
        position = index - first.setdefault(sentence.document, index)
        yield Candidate(
            text, position, words.reading_words(text), shape.words(text), sentence.document
        )


def choose(prompt: ExtractivePrompt, vectors: SourceVectors) -> list[int]:
    """Indices of the sentences of the summary."""
    salient = salience(vectors.sentences, prompt.candidates, vectors.focus)
    return select(
        vectors.sentences, prompt.candidates, salient, prompt.most_sentences, prompt.word_budget
    )


async def run(
    prompt: ExtractivePrompt, model: Model, runtime: Runtime, caller: Caller
) -> AsyncGenerator[Delta | Progress | Result, None]:
    meter = Meter()
    sequences = prompt.windows.sequences
    parts: list[Floats] = []
    read_so_far = 0
    async with aclosing(embed_chunks(sequences, model, runtime, caller, meter)) as chunks:
        async for vectors in chunks:
            parts.append(vectors)
            read_so_far += len(vectors)
            yield Progress("reading", read_so_far, len(sequences))
    # A book takes long enough to hold up every other call of the process.
    chosen = await asyncio.to_thread(lambda: choose(prompt, prompt.pool(parts)))
    for piece in pieces(prompt, chosen):
        yield Delta(piece)
    yield meter.result(body(prompt, chosen, parts=len(parts)))


def pieces(prompt: ExtractivePrompt, chosen: Iterable[int]) -> Iterator[str]:
    """The summary as it grows, sentence by sentence."""
    summary = ""
    for index in chosen:
        longer = prompt.shape.extend(summary, prompt.candidates[index].text)
        yield longer[len(summary) :]
        summary = longer


def body(prompt: ExtractivePrompt, chosen: Sequence[int], *, parts: int) -> dict[str, Any]:
    summary = "".join(pieces(prompt, chosen))
    return {
        "summary": summary,
        "sentences": [
            {
                "text": prompt.candidates[index].text,
                "sources": [prompt.sentences[index].visible(prompt.documents).wire()],
                "support": 1.0,
                "supported": True,
            }
            for index in chosen
        ],
        "coverage": coverage(prompt.sentences, prompt.documents),
        "method": "extractive",
        "words": words.count(summary),
        "parts": parts,
        "unsupported": 0,
    }
