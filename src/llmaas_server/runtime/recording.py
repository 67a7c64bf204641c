"""What a call did when: spans for its trace, where somebody wants them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

from llmaas_server.seam.values import Span

from .request import Attention, Attribution, Encoding, Finished, Generation, Scoring, Token
from .spending import current

MOST_SPANS = 256
"""Of a call: a long document has thousands of jobs, and the first say what the others are."""

Attributes = dict[str, str | int]


class Recorder:
    """The spans of one call. Belongs to the event loop that serves it."""

    def __init__(self, wall: Callable[[], int] = time.time_ns) -> None:
        """`wall` has nanoseconds since 1970, UTC; it is read once."""
        self._spans: list[Span] = []
        self._left_out = 0
        self._offset = wall() - time.monotonic_ns()

    def add(self, span: Span) -> None:
        if len(self._spans) < MOST_SPANS:
            self._spans.append(span)
        else:
            self._left_out += 1

    def at(self, seconds: float) -> int:
        """A time on the clock of time.monotonic(), as spans have it."""
        return self._offset + round(seconds * 1e9)

    @contextmanager
    def span(self, name: str, attributes: Attributes) -> Iterator[None]:
        """Record the block, however it ends."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(Span(name, self.at(began), self.at(time.monotonic()), attributes))

    def take(self) -> list[Span]:
        """What was recorded since the last time; a last one says how many had no room."""
        spans, self._spans = self._spans, []
        if self._left_out:
            end = spans[-1].ended
            spans.append(Span("more", end, end, {"llmaas.spans": self._left_out}))
            self._left_out = 0
        return spans


class Timeline:
    """The life of one job, on the clock of time.monotonic()."""

    __slots__ = ("_cached", "_first", "_generated", "_work", "began", "submitted")

    def __init__(self, work: Any, submitted: float) -> None:
        """`work` is what the job is to do: of `runtime.request`."""
        self.submitted = submitted
        self.began: float | None = None
        """When the first step that it was part of began. Written by the engine's thread."""
        self._work = work
        self._first: float | None = None
        self._generated = self._cached = 0

    def begin(self, at: float) -> None:
        """A step of it begins."""
        if self.began is None:
            self.began = at

    def hear(self, items: Iterable[Any]) -> None:
        """What came of a step of the job."""
        for item in items:
            if isinstance(item, Token):
                self._first = self._first or time.monotonic()
                self._generated += 1
            elif isinstance(item, Finished):
                self._cached = item.cached_tokens

    def span(self, recorder: Recorder, ended: float) -> Span:
        """The job with its parts: it waits, reads its prompt and generates; or it computes."""
        marks = [("queue", self.submitted)]
        if self.began is not None:
            marks.append(("compute" if self._first is None else "prefill", self.began))
        if self._first is not None:
            marks.append(("decode", self._first))
        marks.append(("", ended))
        parts = [
            Span(name, recorder.at(began), recorder.at(end))
            for (name, began), (_, end) in pairwise(marks)
        ]
        name, attributes = self._told()
        return Span(name, recorder.at(self.submitted), recorder.at(ended), attributes, parts)

    def _told(self) -> tuple[str, Attributes]:
        """A name for the work, and how large it is."""
        match self._work:
            case Generation(prompt):
                return "generate", {
                    "llmaas.tokens": len(prompt),
                    "llmaas.tokens.cached": self._cached,
                    "llmaas.tokens.generated": self._generated,
                }
            case Scoring(prefix, continuations):
                tokens = len(prefix) + sum(map(len, continuations))
                return "score", _sized(len(continuations), tokens)
            case Encoding(sequences, head):
                tokens = sum(len(ids) for ids, _ in sequences)
                return "classify" if head else "embed", _sized(len(sequences), tokens)
            case Attribution(ids):
                return "attribute", _sized(1, len(ids))
            case Attention(ids):
                return "attention", _sized(1, len(ids))
        raise TypeError(f"there is no name for {type(self._work).__name__}")


def _sized(sequences: int, tokens: int) -> Attributes:
    return {"llmaas.sequences": sequences, "llmaas.tokens": tokens}


@contextmanager
def timed(work: Any, submitted: float) -> Iterator[Timeline | None]:
    """The timeline of a job, recorded with the end of the block; None where nobody wants it."""
    spending = current()
    recorder = None if spending is None else spending.recorder
    if recorder is None:
        yield None
        return
    timeline = Timeline(work, submitted)
    try:
        yield timeline
    finally:
        recorder.add(timeline.span(recorder, time.monotonic()))
