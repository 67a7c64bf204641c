"""Explanations of real engines, and how much better than chance they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from benchmarks.faithfulness import Faithfulness, mean, ranked, read_scores, shuffled, texts_for

from llmaas_client.wire.classify import Classification
from llmaas_server.runtime.engine import Engine
from llmaas_server.runtime.interface import Model
from llmaas_server.tasks.text.units import Unit
from support.tasks import run_task

DRAWS = 3
"""Random orders that stand for one."""


async def faithfulness(
    model: Model,
    engine: Engine,
    texts: Sequence[str],
    methods: Sequence[str] | None = None,
    **request: Any,
) -> dict[str, Faithfulness]:
    """Of occlusion, of integrated gradients where they are taken, and of random orders."""
    explain = {"methods": methods, "flip": False, "steps": 16}
    found: dict[str, list[Faithfulness]] = {}
    for text in texts:
        outcome = await run_task("classify", model, engine, text=text, explain=explain, **request)
        explanation = outcome.wire.explanation
        units = [Unit(word.start, word.end) for word in explanation.words]
        rankings = {"occlusion": [ranked([word.score for word in explanation.words])]}
        if explanation.gradients is not None:
            words = explanation.gradients.words
            rankings["gradients"] = [ranked([word.score for word in words])]
        rankings["random"] = [shuffled(len(units), seed) for seed in range(DRAWS)]
        for name, orders in rankings.items():
            changed = [one for order in orders for one in texts_for(text, units, order)]
            read = await run_task("classify", model, engine, text=changed, **request)
            scores = [_score(result, explanation.label) for result in read.wire.results]
            each = len(scores) // len(orders)
            found.setdefault(name, []).append(
                mean(
                    [
                        read_scores(explanation.score, scores[start : start + each])
                        for start in range(0, len(scores), each)
                    ]
                )
            )
    return {name: mean(of) for name, of in found.items()}


def _score(result: Classification, label: str) -> float:
    return next(item.score for item in result.scores if item.label == label)
