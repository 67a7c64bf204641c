"""Explanations of the fake backend: real ones, of its made-up scores.

Pure. Words are what stands between spaces.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.explanations import MAX_ATTENTION_WEIGHTS, Explain
from llmaas_server.errors import Problem

Judge = Callable[[str], dict[str, float]]
"""Label -> score of a text, the whole of them."""

Answer = Callable[[str], dict[str, Any]]
"""What is answered to a text."""

_NOTHING = "."
"""What is left where the only word is left out."""


def explain(text: str, asked: Explain, judge: Judge, answer: Answer) -> dict[str, Any]:
    """Raises Problem `unsupported_parameter` for a label that is none."""
    scores = judge(text)
    label = asked.label or max(scores, key=scores.__getitem__)
    if label not in scores:
        raise Problem(
            "unsupported_parameter",
            f"{label!r} is none of the labels: {', '.join(map(repr, scores))}",
            param="explain.label",
        )
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    words = [
        _span(text, *span) | {"score": scores[label] - judge(_without(text, *span))[label]}
        for span in spans
    ]
    methods = asked.methods or ["occlusion", "integrated_gradients"]
    explanation: dict[str, Any] = {
        "label": label,
        "method": methods[0] if len(methods) == 1 else "occlusion",
        "score": scores[label],
        "words": words,
        "word_count": len(words),
    }
    if asked.flip:
        explanation |= {"flip": _flip(text, spans, answer), "flip_texts": len(spans)}
    if "integrated_gradients" in methods:
        explanation["gradients"] = {
            "words": words,
            "value": sum(word["score"] for word in words),
            "baseline": 0.0,
            "completeness_gap": 0.0,
            "steps": asked.steps,
        }
    return explanation


def attention(text: str) -> dict[str, Any]:
    """One head that looks everywhere alike. Raises Problem `unsupported_parameter`."""
    spans = [found.span() for found in re.finditer(r"\S+", text)]
    count = len(spans)
    if count**2 > MAX_ATTENTION_WEIGHTS:
        raise Problem(
            "unsupported_parameter",
            f"1 layer x 1 head x ({count} x {count}) tokens are {count**2} numbers, and "
            f"{MAX_ATTENTION_WEIGHTS} is the most",
            param="view",
        )
    return {
        "tokens": [{"token": text[start:end], "start": start, "end": end} for start, end in spans],
        "layers": 1,
        "heads": 1,
        "weights": [[[[1 / count] * count] * count]],
    }


def tokens(request: ClassifyRequest, text: str) -> int:
    """How many are read beside the text itself: it is read again without each word."""
    words = len(text.split())
    return (words * (words - 1) if request.explain else 0) + (words if request.view else 0)


def _flip(text: str, spans: list[tuple[int, int]], answer: Answer) -> dict[str, Any] | None:
    """Of the first word alone without which the answer is another."""
    before = answer(text)["label"]
    for span in spans if len(spans) > 1 else ():
        changed = _without(text, *span)
        found = answer(changed)
        if found["label"] != before:
            return {
                "text": changed,
                "removed": [_span(text, *span)],
                "label": found["label"],
                "score": found["score"],
                "minimal": True,
            }
    return None


def _without(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{text[end:].lstrip()}".rstrip() or _NOTHING


def _span(text: str, start: int, end: int) -> dict[str, Any]:
    return {"start": start, "end": end, "text": text[start:end]}
