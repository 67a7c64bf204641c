"""What an answer can be made of: what was thought, text, calls."""

from __future__ import annotations

from dataclasses import dataclass, field

from llmaas_server.tasks.tools.formats import CallFormat

from .marks import Marks
from .reasoning import Thinking


@dataclass(frozen=True, slots=True)
class Shape:
    """In this order, of which each may be missing."""

    thinking: Thinking | None = None
    begun: bool = False
    """Whether the prompt itself began what is thought."""
    calls: CallFormat | None = None
    names: frozenset[str] = frozenset()
    """Of the tools that may be called."""
    marks: Marks = field(default_factory=Marks)
    """Of the texts around all these, what is a token of its own."""
