"""An answer of the fake backend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from llmaas_server.seam.values import Delta


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer, before the first piece of it is told."""

    prompt_tokens: int
    body: dict[str, Any]
    """The task's own fields of the result."""
    deltas: tuple[Delta, ...] = ()
    """As it is streamed."""
    completion_tokens: int = 0
    max_completion_tokens: int = 0

    @property
    def pieces(self) -> tuple[str, ...]:
        """The text as it is streamed; of the first answer, where there are several."""
        return tuple(delta.text for delta in self.deltas if delta.text and delta.choice == 0)
