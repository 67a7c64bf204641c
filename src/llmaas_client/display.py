"""Results as terminals show them: plain text, made of values. Nothing here prints."""

from __future__ import annotations

import unicodedata

from .wire.classify import Classification
from .wire.explanations import Explanation
from .wire.models import ModelInfo
from .wire.summarize import SummarizeResult

BAR_WIDTH = 24
MOST_WORDS = 12
"""Of an explanation, as a terminal shows it."""
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


def weights(explanation: Explanation, most: int = MOST_WORDS) -> str:
    """The words that tell most, with bars: to the right for the label, to the left against it."""
    ranked = sorted(explanation.words, key=lambda word: -abs(word.score))[:most]
    widest = max((abs(word.score) for word in ranked), default=0.0) or 1.0
    half = BAR_WIDTH // 2
    lines: list[str] = []
    for word in ranked:
        filled = "█" * round(abs(word.score) / widest * half)
        bar = (
            f"{'':{half}}│{filled:<{half}}" if word.score >= 0 else f"{filled:>{half}}│{'':{half}}"
        )
        lines.append(f"  {word.score:+.3f}  {bar}  {_one_line(word.text)}")
    return "\n".join(lines)


def word_columns(explanation: Explanation) -> str:
    """`start<TAB>end<TAB>score<TAB>word` per line, in the order of the text: for programs."""
    return "\n".join(
        f"{word.start}\t{word.end}\t{word.score:.4f}\t{_one_line(word.text)}"
        for word in explanation.words
    )


def marked(text: str, explanation: Explanation) -> list[tuple[str, float]]:
    """`text` in pieces that join to it, each with its weight from -1 to 1: 0 between words."""
    widest = max((abs(word.score) for word in explanation.words), default=0.0) or 1.0
    pieces: list[tuple[str, float]] = []
    end = 0
    for word in explanation.words:
        pieces += [
            (text[end : word.start], 0.0),
            (text[word.start : word.end], word.score / widest),
        ]
        end = word.end
    return [(piece, weight) for piece, weight in [*pieces, (text[end:], 0.0)] if piece]


def flip_of(explanation: Explanation) -> str | None:
    """What would change the answer; None where nobody looked."""
    if explanation.flip_texts is None:
        return None
    flip = explanation.flip
    if flip is None:
        return f"no small change flips it: {explanation.flip_texts} changed texts were looked at"
    words = ", ".join(f"“{_one_line(word.text)}”" for word in flip.removed)
    answer = "no label" if flip.label is None else f"{clean(flip.label)} {flip.score:.3f}"
    return f"without {words}: {answer}"


def _one_line(text: str) -> str:
    return " ".join(clean(text).split())


def objections(summary: SummarizeResult) -> str:
    """The sentences that the text does not support, each with the reasons, marked: for people."""
    return "\n".join(
        f"! {_one_line(sentence.text)}\n  {'; '.join(map(_one_line, sentence.reasons))}"
        for sentence in summary.sentences
        if sentence.supported is False
    )


def notice(model: ModelInfo) -> str | None:
    """What to say before a small model first speaks; None where there is nothing to say."""
    if model.kind != "decoder" or model.bytes >= SMALL_MODEL_BYTES:
        return None
    return (
        f"{clean(model.id)} is a small model for trying things out; "
        "`llmaas models recommend` names better ones."
    )
