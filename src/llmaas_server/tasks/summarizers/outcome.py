"""The result of an abstractive summary: what was written, or what the source says for itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.sources import Source, coverage

from . import extractive, remarks
from .adding import Adding
from .draft import Draft
from .extractive import ExtractivePrompt
from .reading import Page, Reading


@dataclass(frozen=True, slots=True)
class Outcome:
    """All that a result is made of. `model` is the name of the one that wrote."""

    documents: Sequence[str]
    reading: Reading
    page: Page
    adding: Adding
    draft: Draft
    model: str

    def written(self) -> dict[str, Any]:
        summary = "".join(self.draft.pieces(self.reading.writer.brief.shape))
        return {
            "summary": summary,
            "sentences": self.draft.body(self.page.sources, self.documents),
            "coverage": coverage(self._read_by_any, self.documents),
            "method": "abstractive",
            "words": words.count(summary),
            "parts": self.reading.parts,
            "unsupported": self.draft.unsupported,
            "dropped": self.draft.dropped,
            "strategy": self.reading.strategy,
            "written_from": coverage(self.page.sources, self.documents),
            "warnings": self._remarks(summary),
        }

    def quoted(self, source: ExtractivePrompt, chosen: Sequence[int]) -> dict[str, Any]:
        """Instead of a summary of which nothing is left."""
        return {
            **extractive.body(source, chosen, parts=self.reading.parts),
            "dropped": self.draft.dropped,
            "warnings": remarks.quoted(self.draft.dropped, self.model),
        }

    @property
    def _read_by_any(self) -> list[Source]:
        return [*self.page.sources, *self.reading.searched]

    def _remarks(self, summary: str) -> list[remarks.Remark]:
        draft, adding = self.draft, self.adding
        if not draft.sentences:
            return remarks.empty(draft.dropped, self.model)
        found: list[remarks.Remark] = []
        if draft.unsupported is None:
            found += remarks.unchecked()
        else:
            found += remarks.unsupported(draft.unsupported, len(draft.sentences), self.model)
        if draft.written < adding.wanted - 1 and not self.reading.writer.brief.shape.is_nearly_full(
            summary
        ):
            found += remarks.short(draft.written, adding.wanted, self.model)
        return found
