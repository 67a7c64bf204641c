"""Whether a classifier's probabilities keep their word: one temperature, or one for each label too.

    python -m benchmarks.calibration --eval-data FOLDER

Half of a set makes the classifier, the other half tries it: the calibration error of raw scores, of
both kinds, and which of them `auto` took. "By label" is the mean over labels of the error among the
answers with that label: a label that boasts and one that doubts itself do not make up for each
other there.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from llmaas_client.wire.classifiers import CalibrationChoice
from llmaas_server.models.store import Store
from llmaas_server.runtime.engine import create
from llmaas_server.runtime.interface import Floats
from llmaas_server.seam.values import WorkerOptions
from llmaas_server.settings import load_settings
from llmaas_server.tasks.classifiers.label_words import readable
from llmaas_server.tasks.heads.calibration import Answers, Calibration, calibration_error, losses
from llmaas_server.tasks.heads.logistic import Ints
from llmaas_server.tasks.heads.training import Material, train

from .classify import ZERO_SHOT, Bench

SETS = ("mr", "sms_spam", "trec", "bbc")
MOST = 2000
"""Texts of a set."""
KINDS: tuple[CalibrationChoice, ...] = ("temperature", "per_class", "auto")


async def measure_set(bench: Bench, name: str, seed: int) -> Iterable[str]:
    file = "trec_train.jsonl.gz" if name == "trec" else ZERO_SHOT[name]
    rows = bench.rows(name, file)
    chosen = np.random.default_rng(seed).permutation(len(rows))[:MOST]
    rows = [rows[index] for index in chosen]
    labels = sorted({row["label"] for row in rows})
    targets = np.array([labels.index(row["label"]) for row in rows])
    vectors = await bench.vectors([row["text"] for row in rows])
    words = await bench.vectors([readable(label) for label in labels])
    half = len(rows) // 2
    made = {
        kind: train(
            Material(
                tuple(labels),
                vectors[:half],
                targets[:half],
                words,
                np.arange(len(labels)),
                calibration=kind,
            )
        )
        for kind in KINDS
    }
    logits = vectors[half:] @ made["auto"].weights.T
    calibrations = {"raw": Calibration(1.0)} | {
        kind: made[kind].calibration for kind in ("temperature", "per_class")
    }
    auto = made["auto"].name.partition(",")[0]
    return [
        f"{name:9} {len(labels):6} {half:8} {kind:12} "
        + figures(calibration.of(logits), targets[half:])
        + (f"   auto: {auto}" if kind == "raw" else "")
        for kind, calibration in calibrations.items()
    ]


def figures(logits: Floats, targets: Ints) -> str:
    """Correct, calibration error, that by label, negative log-likelihood."""
    answers = Answers.of(logits)
    correct = answers.predicted == targets
    own = (answers.predicted == label for label in np.unique(answers.predicted))
    by_label = [calibration_error(answers.confidence[these], correct[these]) for these in own]
    return (
        f"{correct.mean():8.1%} {calibration_error(answers.confidence, correct):7.3f} "
        f"{np.mean(by_label):8.3f} {losses(logits, targets).mean():7.3f}"
    )


async def measure(folder: Path, seed: int) -> None:
    settings = load_settings({})
    engine = await asyncio.to_thread(create, WorkerOptions(device="cpu"))
    ref = Store(settings.cache).ref(settings.embed_model)
    print(
        f"{'set':9} {'labels':>6} {'examples':>8} {'calibration':12} {'correct':>8} {'ECE':>7} "
        f"{'by label':>8} {'NLL':>7}"
    )
    try:
        async with engine.using(ref) as model:
            bench = Bench(engine, model, folder)
            for name in SETS:
                print(*await measure_set(bench, name, seed), sep="\n", flush=True)
    finally:
        await asyncio.to_thread(engine.close)


def main() -> None:
    parser = argparse.ArgumentParser(description="Calibration of classifiers from examples.")
    parser.add_argument("--eval-data", type=Path, required=True, help="the folder with the sets")
    parser.add_argument("--seed", type=int, default=0, help="of the draw of texts")
    options = parser.parse_args()
    asyncio.run(measure(options.eval_data, options.seed))


if __name__ == "__main__":
    main()
