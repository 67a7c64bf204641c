"""Spans of documents: where their sentences are, and how much of them some spans hold."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from .sentences import split


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Characters `start` to `end` of a document."""

    document: int
    start: int
    end: int

    def text(self, documents: Sequence[str]) -> str:
        return documents[self.document][self.start : self.end]

    def visible(self, documents: Sequence[str]) -> Source:
        """The same span without the white space around its text."""
        text = self.text(documents)
        start = self.start + len(text) - len(text.lstrip())
        return Source(self.document, start, start + len(text.strip()))

    def wire(self) -> dict[str, Any]:
        return {"start": self.start, "end": self.end, "document": self.document}


def sentences_of(documents: Sequence[str]) -> list[Source]:
    """Every sentence of every document, in order; together they tile the documents."""
    return [
        Source(index, span.start, span.end)
        for index, document in enumerate(documents)
        for span in split(document)
    ]


def merge(sources: Iterable[Source]) -> list[Source]:
    """The same characters in as few spans as there can be, in order."""
    merged: list[Source] = []
    for source in sorted(sources):
        last = merged[-1] if merged else None
        if last and last.document == source.document and source.start <= last.end:
            merged[-1] = Source(last.document, last.start, max(last.end, source.end))
        else:
            merged.append(source)
    return merged


def coverage(sources: Iterable[Source], documents: Sequence[str]) -> float:
    """The share of the documents' characters that lie in `sources`; 1.0 only where all do."""
    read = sum(source.end - source.start for source in merge(sources))
    return read / sum(len(document) for document in documents)
