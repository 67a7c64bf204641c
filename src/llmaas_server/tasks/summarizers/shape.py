"""What a request asks for: of which documents, and the form of the summary: how many sentences,
how many words, how they stand together."""

from __future__ import annotations

import re
from dataclasses import dataclass

from llmaas_client.wire.summarize import Style, SummarizeRequest
from llmaas_server.tasks.text import words

LENGTHS = {"short": 2, "medium": 4, "long": 8}
"""Sentences."""

SHORT_SENTENCE = 20
"""Words: few sentences are short enough for fewer."""

_BULLET = re.compile(r"[-*•–]\s")


@dataclass(frozen=True, slots=True)
class Shape:
    sentences: int
    max_words: int | None = None
    style: Style = "paragraph"

    def extend(self, summary: str, sentence: str) -> str:
        """`summary` with one more sentence; it begins with `summary` as it was."""
        # The mark counts as a word, too; where one is all there may be, it is of the text.
        if self.style != "bullets" or self.max_words == 1:
            return words.join(summary, sentence)
        line = sentence if _BULLET.match(sentence) else f"- {sentence}"
        return f"{summary}\n{line}" if summary else line

    def words(self, sentence: str) -> int:
        """What `sentence` adds to the words of a summary, the mark of a bullet included."""
        return words.count(self.extend("", sentence))

    def fits(self, summary: str) -> bool:
        return self.max_words is None or words.count(summary) <= self.max_words

    def is_nearly_full(self, summary: str) -> bool:
        """Whether max_words hardly has room for another sentence."""
        most = self.max_words
        return most is not None and most - words.count(summary) < SHORT_SENTENCE

    def shorten(self, sentence: str) -> str:
        """`sentence` as a whole summary: cut at a word, with an ellipsis, where it is too long."""
        if self.fits(self.extend("", sentence)) or self.max_words is None:
            return sentence
        mark = self.words(sentence) - words.count(sentence)
        return words.cut(sentence, max(1, self.max_words - mark))


def shape_of(request: SummarizeRequest) -> Shape:
    sentences = 1 if request.style == "headline" else LENGTHS[request.length]
    return Shape(sentences, request.max_words, request.style)


def documents_of(request: SummarizeRequest) -> tuple[str, ...]:
    return (request.text,) if isinstance(request.text, str) else tuple(request.text)
