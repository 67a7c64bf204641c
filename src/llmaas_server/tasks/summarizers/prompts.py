"""What a chat model is told. Greedy: the same text gives the same summary."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmaas_server.tasks.text.sources import Source

from .shape import Shape

_COUNTS = {1: "one sentence", 2: "two sentences", 4: "four sentences", 8: "eight sentences"}


@dataclass(frozen=True, slots=True)
class Brief:
    """What a writer is asked for."""

    shape: Shape
    focus: str | None = None
    """What the summary is to be about."""
    documents: int = 1


def instruction(brief: Brief, *, merging: bool) -> str:
    """What to do with a text, or with the summaries of its parts."""
    shape = brief.shape
    if merging:
        what = "the input notes, which are summaries of the parts of one text"
    elif brief.documents > 1:
        what = f"the {brief.documents} input documents together"
    else:
        what = "the input text"
    if brief.focus is not None:
        what = f"what is said in {what} on the question or topic below"
    if shape.style == "headline":
        form = "in one short sentence, as a headline"
    else:
        form = f"in up to {_COUNTS.get(shape.sentences, f'{shape.sentences} sentences')}"
    limit = f" Use at most {shape.max_words} words." if shape.max_words is not None else ""
    return (
        f"Provide a concise, objective summary of {what} {form}.{limit} "
        "Write in the language of the text."
    )


def asked(brief: Brief, text: str) -> str:
    """The text, and below it what the summary is to be about: nearest to the answer, where a
    small model still knows it after a long text."""
    return text if brief.focus is None else f"{text}\n\n{brief.focus.strip()}"


def rendered(sources: Sequence[Source], documents: Sequence[str], *, named: bool) -> str:
    """The text of spans as a prompt holds it; `named`: under the number of its document."""
    lines: list[str] = []
    last: int | None = None
    for source in sources:
        if named and source.document != last:
            lines.append(f"Document {source.document + 1}:\n{source.text(documents).strip()}")
        else:
            lines.append(source.text(documents).strip())
        last = source.document
    return "\n\n".join(lines)
