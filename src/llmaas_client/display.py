"""Results as terminals show them: plain text, made of values. Nothing here prints."""

from __future__ import annotations

import unicodedata

from .wire.classify import Classification
from .wire.models import ModelInfo

BAR_WIDTH = 24
SMALL_MODEL_BYTES = 500_000_000
"""Below this a chat model is for trying things out."""


def clean(text: str) -> str:
    """Text without control characters: what a model writes must not steer the terminal."""
    return "".join(
        character
        for character in text
        if character in "\n\t" or unicodedata.category(character) != "Cc"
    )


def columns(answer: Classification) -> str:
    """`label<TAB>score` per line, best first: for programs."""
    return "\n".join(f"{item.label}\t{item.score:.4f}" for item in answer.scores)


def bars(answer: Classification) -> str:
    """Scores as bars, with a mark at the labels that hold: for people."""
    names = [clean(item.label) for item in answer.scores]
    width = max((len(name) for name in names), default=0)
    lines: list[str] = []
    for name, item in zip(names, answer.scores, strict=True):
        mark = "*" if item.label in answer.labels else " "
        filled = round(max(0.0, min(1.0, item.score)) * BAR_WIDTH)
        bar = "█" * filled + "░" * (BAR_WIDTH - filled)
        lines.append(f"{mark} {name:<{width}}  {bar}  {item.score:.3f}")
    return "\n".join(lines)


def notice(model: ModelInfo) -> str | None:
    """What to say before a small model first speaks; None where there is nothing to say."""
    if model.kind != "decoder" or model.bytes >= SMALL_MODEL_BYTES:
        return None
    return (
        f"{clean(model.id)} is a small model for trying things out; "
        "`llmaas models recommend` names better ones."
    )
