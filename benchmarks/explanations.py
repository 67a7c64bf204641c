"""How much better than chance explanations of `classify` are, on labelled texts.

    python -m benchmarks.explanations --eval-data FOLDER

Comprehensiveness and sufficiency (see `faithfulness`) of words ranked by occlusion, by integrated
gradients and at random, for labels alone and for a classifier made from eight examples of each;
how many texts have a flip, and of how many words; and how large completeness gaps are.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from llmaas_server.models.store import Store
from llmaas_server.runtime.engine import create
from llmaas_server.seam.values import WorkerOptions
from llmaas_server.settings import load_settings
from llmaas_server.tasks import classify
from llmaas_server.tasks.classifiers.trained import HeadedRequest
from llmaas_server.tasks.text.units import Unit

from .classify import ZERO_SHOT, Bench, Rows, shots
from .faithfulness import Faithfulness, mean, ranked, read_scores, shuffled, texts_for

SETS = ("mr", "sms_spam", "trec")
DRAWS = 5
"""Random orders of each text."""
LEAST_WORDS = 4


@dataclass(slots=True)
class Tally:
    """What was found in the texts of a set."""

    faithfulness: dict[str, list[Faithfulness]] = field(default_factory=dict)
    flips: list[int] = field(default_factory=list)
    """How many words each flip takes away."""
    gaps: list[float] = field(default_factory=list)
    """Completeness gaps, as shares of the way from baseline to text."""
    texts: int = 0


async def explain(bench: Bench, tally: Tally, text: str, request: dict[str, Any]) -> None:
    """Explain a text, and read what is left of it in each order of its words."""
    asked = request | {"text": text, "explain": True}
    answered = await bench.run(classify.TASK, HeadedRequest.model_validate(asked))
    explanation = answered["results"][0]["explanation"]
    words, gradients = explanation["words"], explanation.get("gradients")
    if len(words) < LEAST_WORDS:
        return
    orders = [("random", shuffled(len(words), seed)) for seed in range(DRAWS)]
    orders.append(("occlusion", ranked([word["score"] for word in words])))
    if gradients is not None:
        orders.append(("gradients", ranked([word["score"] for word in gradients["words"]])))
        way = max(abs(gradients["value"] - gradients["baseline"]), 1e-9)
        tally.gaps.append(abs(gradients["completeness_gap"]) / way)
    units = [Unit(word["start"], word["end"]) for word in words]
    changed = [one for _, order in orders for one in texts_for(text, units, order)]
    read = await bench.run(classify.TASK, HeadedRequest.model_validate(request | {"text": changed}))
    scores = [score_of(result, explanation["label"]) for result in read["results"]]
    each = len(scores) // len(orders)
    for number, (name, _) in enumerate(orders):
        of_order = scores[number * each : (number + 1) * each]
        found = read_scores(explanation["score"], of_order)
        tally.faithfulness.setdefault(name, []).append(found)
    if explanation["flip"] is not None:
        tally.flips.append(len(explanation["flip"]["removed"]))
    tally.texts += 1


def score_of(result: dict[str, Any], label: str) -> float:
    score: float = next(row["score"] for row in result["scores"] if row["label"] == label)
    return score


def lines(name: str, way: str, tally: Tally) -> list[str]:
    """Of one set and one way to decide."""
    rows = [
        f"{name:9} {way:12} {method:10} {one.comprehensiveness:18.3f} {one.sufficiency:12.3f}"
        for method, some in sorted(tally.faithfulness.items())
        for one in [mean(some)]
    ]
    share = len(tally.flips) / tally.texts
    flips = f"flips of {share:.0%}, of {np.median(tally.flips):.0f} words" if tally.flips else ""
    gap = f"gap {np.median(tally.gaps):.2%}, at most {max(tally.gaps):.1%}" if tally.gaps else ""
    return [*rows, f"{name:9} {way:12} {tally.texts} texts; {flips}; {gap}"]


async def measure(folder: Path, most: int, sets: Sequence[str]) -> None:
    settings = load_settings({})
    engine = await asyncio.to_thread(create, WorkerOptions(device="cpu"))
    ref = Store(settings.cache).ref(settings.embed_model)
    try:
        async with engine.using(ref) as model:
            bench = Bench(engine, model, folder)
            print(f"{'set':9} {'decided by':12} {'order':10} {'comprehensiveness':>18} "
                  f"{'sufficiency':>12}")  # fmt: skip
            for name in sets:
                rows = bench.rows(name, ZERO_SHOT[name])
                chosen = some_of(rows, most)
                taught = [row for row in rows if row not in chosen]
                head = await bench.trained(examples=shots(taught, 0))
                labels = sorted({row["label"] for row in rows})
                for way, request in (
                    ("labels", {"labels": labels}),
                    ("examples", {"classifier": "bench", "head": head}),
                ):
                    tally = Tally()
                    for row in chosen:
                        await explain(bench, tally, row["text"], request)
                    print("\n".join(lines(name, way, tally)), flush=True)
    finally:
        await asyncio.to_thread(engine.close)


def some_of(rows: Rows, most: int) -> Rows:
    """The same texts every time."""
    order = np.random.default_rng(0).permutation(len(rows))[:most]
    return [rows[index] for index in order.tolist()]


def main() -> None:
    parser = argparse.ArgumentParser(description="Faithfulness of explanations of classify.")
    parser.add_argument("--eval-data", type=Path, required=True, help="the folder with the sets")
    parser.add_argument("--texts", type=int, default=100, help="of each set")
    parser.add_argument("--only", action="append", choices=SETS, help="repeatable")
    options = parser.parse_args()
    asyncio.run(measure(options.eval_data, options.texts, options.only or SETS))


if __name__ == "__main__":
    main()
