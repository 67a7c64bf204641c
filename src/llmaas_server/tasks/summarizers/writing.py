"""A written summary as it grows: generated text in, whole sentences out, within their limits."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.sentences import Span, split

from .shape import Shape
from .wording import headline, loops, says_again, tidy

CIRCLES = 2
"""Sentences in a row that say nothing new, after which a model turns in circles to its end."""

SHORTEST_HEADLINE = 3
"""Words."""


def _nothing(sentence: str) -> bool:
    return False


class Writing:
    """Takes a sentence once the next but one has begun: no border before that can move.

    A sentence that was cut off at the end is dropped where another stands; alone it stays, with
    an ellipsis. The same holds for a first sentence that is longer than `max_words`. A sentence
    that says again what stands there already, that turns in circles or that `echoes` the prompt is
    no sentence of a summary.
    """

    def __init__(self, shape: Shape, echoes: Callable[[str], bool] = _nothing) -> None:
        self._shape = shape
        self._echoes = echoes
        self._rest = ""
        self._in_circles = 0
        self.summary = ""
        self.sentences: list[str] = []
        self.full = False
        """Whether no further sentence has room, or none is worth waiting for."""

    def push(self, piece: str) -> str:
        """What the summary gains."""
        # Pegasus ends its lines with <n>; NUL, which no prompt may hold, is never text.
        self._rest = f"{self._rest}{piece}".replace("<n>", "\n").replace("\0", "")
        return self._take(split(self._rest)[:-2])

    def finish(self, *, complete: bool) -> str:
        """What is left. `complete`: the model itself came to an end."""
        spans = split(self._rest)
        cut_off = spans.pop() if spans and not complete else None
        gained = self._take(spans)
        if cut_off is not None and not self.sentences:
            gained += self._take([cut_off], ending="…")
        return gained

    def extend(self, sentences: Iterable[str]) -> str:
        """Take sentences that were written apart, while there is room."""
        before = len(self.summary)
        self._in_circles = 0
        self.full = self._has_all
        for sentence in sentences:
            self._add(sentence, "")
        return self.summary[before:]

    def _take(self, spans: list[Span], ending: str = "") -> str:
        before = len(self.summary)
        for span in spans:
            self._add(self._rest[span.start : span.end].strip(), ending)
        if spans:
            self._rest = self._rest[spans[-1].end :]
        return self.summary[before:]

    def _add(self, sentence: str, ending: str) -> None:
        sentence = tidy(sentence, first=not self.sentences)
        if self.full or not sentence or self._echoes(sentence) or self._is_too_short(sentence):
            return
        if loops(sentence) or says_again(sentence, self.sentences):
            self._in_circles += 1
            self.full = self._in_circles == CIRCLES
            return
        self._in_circles = 0
        self._append(sentence, ending)

    def _append(self, sentence: str, ending: str) -> None:
        if self._shape.style == "headline" and (short := headline(sentence)) != sentence:
            sentence, ending = short, ""
        longer = self._shape.extend(self.summary, sentence + ending)
        if not self._shape.fits(longer):
            self.full = True
            if self.sentences:
                return
            sentence, ending = self._shape.shorten(sentence), ""
            longer = self._shape.extend("", sentence)
        self.sentences.append(sentence + ending)
        self.summary = longer
        self.full = self._has_all

    def _is_too_short(self, sentence: str) -> bool:
        """Whether it is only a cry, and no headline."""
        most = self._shape.max_words or SHORTEST_HEADLINE
        least = min(most, SHORTEST_HEADLINE)
        return self._shape.style == "headline" and words.count(sentence) < least

    @property
    def nearly_full(self) -> bool:
        return self._shape.is_nearly_full(self.summary)

    @property
    def _has_all(self) -> bool:
        return len(self.sentences) >= self._shape.sentences
