"""A written summary as it grows: generated text in, whole sentences out, within their limits."""

from __future__ import annotations

import re

from llmaas_server.tasks.text.sentences import Span, split

from .shape import Shape

_PREFACE = re.compile(
    r"^(?:(?:here(?:'s| is| are)|sure|certainly|of course)\b[^\n:]{0,120}:|"
    r"(?:\*\*)?(?:summary|headline)(?:\*\*)?\s*:(?:\*\*)?)\s*",
    re.IGNORECASE,
)
_LIST_MARK = re.compile(r"^(?:[-*•–]|\d{1,2}[.)])\s+")


class Writing:
    """Takes a sentence once the next but one has begun: no border before that can move.

    A sentence that was cut off at the end is dropped where another stands; alone it stays, with
    an ellipsis. The same holds for a first sentence that is longer than `max_words`.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._rest = ""
        self.summary = ""
        self.sentences: list[str] = []
        self.full = False
        """Whether no further sentence has room."""

    def push(self, piece: str) -> str:
        """What the summary gains."""
        self._rest += piece
        return self._take(split(self._rest)[:-2])

    def finish(self, *, complete: bool) -> str:
        """What is left. `complete`: the model itself came to an end."""
        spans = split(self._rest)
        cut_off = spans.pop() if spans and not complete else None
        gained = self._take(spans)
        if cut_off is not None and not self.sentences:
            gained += self._take([cut_off], ending="…")
        return gained

    def _take(self, spans: list[Span], ending: str = "") -> str:
        before = len(self.summary)
        for span in spans:
            self._add(self._rest[span.start : span.end].strip(), ending)
        if spans:
            self._rest = self._rest[spans[-1].end :]
        return self.summary[before:]

    def _add(self, sentence: str, ending: str) -> None:
        sentence = _LIST_MARK.sub("", sentence)
        if not self.sentences:
            sentence = _PREFACE.sub("", sentence)
        if self.full or not sentence or sentence in self.sentences:
            return
        longer = self._shape.extend(self.summary, sentence + ending)
        if not self._shape.fits(longer):
            self.full = True
            if self.sentences:
                return
            sentence, ending = self._shape.shorten(sentence), ""
            longer = self._shape.extend("", sentence)
        self.sentences.append(sentence + ending)
        self.summary = longer
        self.full = self.full or len(self.sentences) == self._shape.sentences
