"""A written summary with what the source says to each of its sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_server.tasks.grounding.judgement import Grounded
from llmaas_server.tasks.text.sources import Source

from .shape import Shape


@dataclass(frozen=True, slots=True)
class Draft:
    sentences: tuple[str, ...]
    grounded: tuple[Grounded, ...] | None = None
    """Of each sentence; None where nothing was held against the source."""
    dropped: int = 0
    """Sentences that the source does not support, and that were left out for that."""

    @property
    def unsupported(self) -> int | None:
        if self.grounded is None:
            return None
        return sum(not found.supported for found in self.grounded)

    @property
    def written(self) -> int:
        return len(self.sentences) + self.dropped

    def supported(self) -> Draft:
        """The sentences that the source supports."""
        if self.grounded is None:
            return self
        kept = [
            (sentence, found)
            for sentence, found in zip(self.sentences, self.grounded, strict=True)
            if found.supported
        ]
        dropped = len(self.sentences) - len(kept)
        return Draft(tuple(s for s, _ in kept), tuple(found for _, found in kept), dropped)

    def pieces(self, shape: Shape) -> Iterator[str]:
        """The summary as it grows, sentence by sentence."""
        summary = ""
        for sentence in self.sentences:
            longer = shape.extend(summary, sentence)
            yield longer[len(summary) :]
            summary = longer

    def body(self, read: Sequence[Source], documents: Sequence[str]) -> list[dict[str, Any]]:
        """As results have it. A sentence that was not checked rests on all that was `read`."""
        if self.grounded is None:
            sources = [source.wire() for source in read]
            return [
                {"text": sentence, "sources": sources, "support": None}
                for sentence in self.sentences
            ]
        return [
            {
                "text": sentence,
                "sources": [source.visible(documents).wire() for source in found.sources],
                "support": found.support,
                "supported": found.supported,
                "reasons": list(found.reasons),
            }
            for sentence, found in zip(self.sentences, self.grounded, strict=True)
        ]
