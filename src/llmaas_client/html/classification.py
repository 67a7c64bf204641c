"""Scores as bars, and what a label rests on as a heat map."""

from __future__ import annotations

from typing import TYPE_CHECKING

from llmaas_client.display import flip_of

from .footer import footer
from .frame import HTML, bar, brief, frame, quiet, table, tag, text

if TYPE_CHECKING:
    from llmaas_client.wire.classify import Classification, ClassifyResult
    from llmaas_client.wire.explanations import Attention, Explanation, WordWeight

MOST_TEXTS = 20
MOST_LABELS = 10


def classify_result(result: ClassifyResult) -> str:
    """One block for each text."""
    shown = result.results[:MOST_TEXTS]
    texts = [*result.about, *[""] * len(shown)]
    blocks = [
        _one(answer, about if len(result.results) > 1 or answer.explanation is None else "")
        for answer, about in zip(shown, texts, strict=False)
    ]
    left = len(result.results) - len(shown)
    more = quiet(f"and {left} more" if left else "")
    how = f"{result.method}, {_calibration(result.calibration)}"
    return frame(*blocks, more, footer(result, how))


def classification(answer: Classification) -> str:
    return frame(_one(answer, ""))


def _one(answer: Classification, about: str) -> HTML:
    title = tag("div", brief(about)) if about else HTML("")
    holds = set(answer.labels)
    rows = [
        (
            tag("b", text(item.label)) if item.label in holds else text(item.label),
            bar(item.score),
            text(f"{item.score:.3f}"),
        )
        for item in answer.scores[:MOST_LABELS]
    ]
    left = len(answer.scores) - len(rows)
    notes = [
        "abstained: no label is sure enough" if answer.abstained else "",
        f"and {left} more labels" if left > 0 else "",
    ]
    parts = [title, table(("", "", ""), rows, numbers=[2]), quiet(*notes)]
    if answer.explanation is not None:
        parts.append(_explanation(answer.explanation))
    if answer.attention is not None:
        parts.append(_attention(answer.attention))
    return tag("div", *parts)


def _explanation(explanation: Explanation) -> HTML:
    gap = explanation.completeness_gap
    notes = [
        f"what speaks for {explanation.label!r}, by {explanation.method.replace('_', ' ')}",
        f"neighbours grouped: {len(explanation.words)} units of {explanation.word_count} words"
        if explanation.grouped
        else "",
        "" if gap is None else f"completeness gap {gap:.3g}",
    ]
    flip = flip_of(explanation)
    return tag(
        "div", heat(explanation.words), quiet(*notes), HTML("") if flip is None else quiet(flip)
    )


def heat(words: list[WordWeight]) -> HTML:
    """Words in the order of the text, coloured by what they speak for; figures when hovered."""
    widest = max((abs(word.score) for word in words), default=0.0) or 1.0
    parts: list[HTML] = []
    end = words[0].start if words else 0
    for word in words:
        if word.start > end:  # what lies between words is white space
            parts.append(HTML(" "))
        end = word.end
        side = "--for,37,99,235" if word.score >= 0 else "--against,217,119,6"
        share = abs(word.score) / widest
        colour = f"background:rgba(var({side}),{share * 0.6:.2f});border-radius:.2em"
        parts.append(tag("span", text(word.text), style=colour, title=f"{word.score:+.4f}"))
    return tag("div", *parts, style="white-space:pre-wrap")


def _attention(attention: Attention) -> HTML:
    tokens = " ".join(token.token for token in attention.tokens)
    return tag(
        "details",
        tag("summary", text(f"attention: a view of {len(attention.tokens)} tokens")),
        tag("div", brief(tokens)),
        quiet("what the model looks at, which explains nothing"),
    )


def _calibration(calibration: str) -> str:
    return "scores are not calibrated" if calibration == "none" else f"calibrated by {calibration}"
