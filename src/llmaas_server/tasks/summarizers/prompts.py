"""What a chat model is told. Greedy: the same text gives the same summary."""

from __future__ import annotations

from .shape import Shape

_COUNTS = {1: "one sentence", 2: "two sentences", 4: "four sentences", 8: "eight sentences"}


def ask(shape: Shape, text: str, *, merging: bool) -> str:
    """The prompt for a text, or for the summaries of its parts."""
    if shape.style == "headline":
        task = "Write a one-sentence headline for"
    else:
        count = _COUNTS.get(shape.sentences, f"{shape.sentences} sentences")
        task = f"Provide a concise, objective summary in up to {count} of"
    what = (
        "the following notes, which are summaries of the parts of one text"
        if merging
        else ("the following text")
    )
    limit = f" Use at most {shape.max_words} words." if shape.max_words is not None else ""
    return f"{task} {what}.{limit}\n\n{text}"
