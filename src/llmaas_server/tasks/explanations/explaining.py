"""Explain what was judged: what is lost without each word, gradients, flips."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_server.errors import Problem
from llmaas_server.tasks.classifiers.base import Judged
from llmaas_server.tasks.classifiers.decision import Rules

from .plan import Plan, why_not
from .subjects import Hunt, Subject
from .tracing import Traced, Tracer

LEFT_OUT = "gradients_left_out"
"""The code of the warning that some text has no integrated gradients."""


@dataclass(frozen=True, slots=True)
class Explained:
    explanations: list[dict[str, Any]]
    """One for each text, as results have it."""
    left_out: str | None
    """Why some text has no integrated gradients."""


async def explain(plan: Plan, rules: Rules, tracer: Tracer, judged: Judged) -> Explained:
    """`judged` are the texts, then the plan's variants; `tracer` is of the texts."""
    subjects = subjects_of(plan, rules, judged)
    traces, left_out = await _traces(plan, tracer, subjects)
    scores = [
        subject.losses or (trace.scores if trace else [])
        for subject, trace in zip(subjects, traces, strict=True)
    ]
    hunts: list[Hunt | None] = [None] * len(subjects)
    if plan.asked.flip:
        found = [Hunt(subject, of, rules) for subject, of in zip(subjects, scores, strict=True)]
        await _hunt(plan, tracer, found)
        hunts = [*found]
    parts = zip(subjects, scores, traces, hunts, strict=True)
    return Explained([_explanation(plan, rules, *part) for part in parts], left_out)


def subjects_of(plan: Plan, rules: Rules, judged: Judged) -> list[Subject]:
    found: list[Subject] = []
    first = len(plan.texts)
    for number, parted in enumerate(plan.texts):
        best = rules.best(judged.scores[number].tolist())
        label = best if plan.label is None else plan.label
        found.append(Subject(parted, label, judged, number, first if plan.occlusion else None))
        first += len(parted.units)
    return found


async def _traces(
    plan: Plan, tracer: Tracer, subjects: Sequence[Subject]
) -> tuple[list[Traced | None], str | None]:
    """Integrated gradients of each text that has them, and why some have none."""
    traces: list[Traced | None] = [None] * len(subjects)
    if not plan.gradients or tracer.model.attention_heads is None:
        return traces, plan.left_out
    for number, subject in enumerate(subjects):
        if why_not(tracer.scoring, number, tracer.model):
            continue
        try:
            traces[number] = await tracer.gradients(
                number, subject.label, subject.parted, plan.asked.steps
            )
        except Problem as problem:
            unnamed = plan.asked.methods is None
            if not unnamed or problem.code not in ("model_cannot_do_task", "out_of_memory"):
                raise
            return traces, problem.message
    return traces, plan.left_out


async def _hunt(plan: Plan, tracer: Tracer, hunts: Sequence[Hunt]) -> None:
    """The searches of all texts side by side: what they want next is read at once."""
    left = plan.flip_tokens
    while asking := [hunt for hunt in hunts if hunt.wanted]:
        texts = [hunt.subject.parted.without(removal) for hunt in asking for removal in hunt.wanted]
        scoring = await asyncio.to_thread(plan.read, texts)
        left -= scoring.prompt_tokens
        if left < 0:
            return
        judged = await scoring.judge(tracer.model, tracer.runtime, tracer.caller, tracer.meter)
        start = 0
        for hunt in asking:
            wanted = len(hunt.wanted)
            hunt.tell(judged, start)
            start += wanted


def _explanation(
    plan: Plan,
    rules: Rules,
    subject: Subject,
    scores: Sequence[float],
    trace: Traced | None,
    hunt: Hunt | None,
) -> dict[str, Any]:
    explanation: dict[str, Any] = {
        "label": rules.labels[subject.label],
        "method": "occlusion" if plan.occlusion else "integrated_gradients",
        "score": subject.score,
        "words": subject.weighed(scores),
        "word_count": subject.parted.words,
    }
    if hunt is not None:
        explanation |= {"flip": hunt.flip(), "flip_texts": hunt.tries}
    if trace is not None:
        explanation["gradients"] = {"words": subject.weighed(trace.scores), **trace.figures}
    return explanation
