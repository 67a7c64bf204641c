"""What a model thinks before it answers: how its template marks that. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmaas_server.runtime.interface import Tokenizer

# More than any template writes after the mark that begins an answer.
_TAIL = 16


@dataclass(frozen=True, slots=True)
class Thinking:
    """The marks around what a model thinks."""

    opens: str
    closes: str

    @property
    def marks(self) -> tuple[str, str]:
        return self.opens, self.closes


_KNOWN = (
    Thinking("<think>", "</think>"),
    Thinking("[THINK]", "[/THINK]"),
    Thinking("<|START_THINKING|>", "<|END_THINKING|>"),
    Thinking("<seed:think>", "</seed:think>"),
    Thinking("◁think▷", "◁/think▷"),
)


def thinking_of(template: str) -> Thinking | None:
    """How models with this chat template mark what they think; None where it has no marks."""
    return next((known for known in _KNOWN if any(mark in template for mark in known.marks)), None)


def wants_reasoning(template: str) -> bool:
    """Whether the template shows a model what it thought in earlier turns."""
    return "reasoning_content" in template


def begun(thinking: Thinking, prompt: Sequence[int], tokenizer: Tokenizer) -> bool:
    """Whether the prompt ends within what the model thinks: some templates open it themselves."""
    tail = prompt[-_TAIL:]
    id = tokenizer.added_id(thinking.opens)
    if id is None:
        return tokenizer.decode(tail).rstrip().endswith(thinking.opens)
    if id not in tail:
        return False
    after = tail[len(tail) - list(reversed(tail)).index(id) :]
    return not tokenizer.decode(after).strip() and tokenizer.added_id(thinking.closes) not in after
