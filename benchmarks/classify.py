"""How often `classify` is right: with labels alone, and with a few examples of each.

    python -m benchmarks.classify --eval-data FOLDER

Zero-shot beside plain cosine of text and label, in the same run with the same vectors; few-shot as
the mean of several draws of 8 examples of each label, on the whole test set.
"""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from llmaas_client.wire.classifiers import ClassifierCreate
from llmaas_server.models.store import Store
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Floats, Model
from llmaas_server.seam import heads
from llmaas_server.seam.values import Result, WorkerOptions
from llmaas_server.settings import load_settings
from llmaas_server.tasks import classify, train_classifier
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.classifiers.label_words import readable, senses
from llmaas_server.tasks.classifiers.trained import HeadedRequest
from llmaas_server.tasks.heads.calibration import calibration_error
from llmaas_server.tasks.heads.scope import auroc
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import read
from llmaas_server.tasks.vectors import embed_all

from .texts import read_rows

SHOTS = 8
BATCH = 500

ZERO_SHOT = {
    "bbc": "bbc_topics.jsonl.gz",
    "mr": "mr.jsonl.gz",
    "clinc150": "clinc150_test.jsonl.gz",
    "snips": "snips_test.jsonl",
    "trec": "trec_test.jsonl",
    "sms_spam": "sms_spam.jsonl.gz",
}
FEW_SHOT = ("clinc150", "snips", "trec")

Rows = list[dict[str, Any]]


class Bench:
    """The tasks as the worker runs them, on one model."""

    def __init__(self, engine: Engine, model: Model, folder: Path) -> None:
        self._engine = engine
        self._model = model
        self._folder = folder

    async def run(self, task: Any, request: Any) -> dict[str, Any]:
        prompt = task.prompt(request, self._model, None)
        async for event in task.run(prompt, self._model, self._engine, Caller()):
            if isinstance(event, Result):
                return event.body
        raise RuntimeError("a task ended without a result")

    async def vectors(self, texts: Sequence[str]) -> Floats:
        windows = read(texts, self._model.tokenizer, self._model.context)
        found = await embed_all(windows.sequences, self._model, self._engine, Caller(), Meter())
        return windows.pool(found)

    def rows(self, name: str, file: str) -> Rows:
        return list(read_rows(self._folder / name / file))

    async def zero_shot(self, name: str) -> str:
        """Plain cosine with the labels as they are and as words, and classify."""
        rows = self.rows(name, ZERO_SHOT[name])
        labels = sorted({row["label"] for row in rows})
        truth = [row["label"] for row in rows]
        texts = await self.vectors([row["text"] for row in rows])
        plain: list[float] = []
        for names in (labels, [readable(label) for label in labels]):
            nearest = (texts @ (await self.vectors(names)).T).argmax(axis=1)
            plain.append(share([labels[index] for index in nearest], truth))
        ours: list[str | None] = []
        for start in range(0, len(rows), BATCH):
            some = [row["text"] for row in rows[start : start + BATCH]]
            request = HeadedRequest(text=some, labels=labels, top_k=1)
            ours += [one["label"] for one in (await self.run(classify.TASK, request))["results"]]
        known = sum(readable(label).lower() in senses() for label in labels)
        cosines = " ".join(f"{one:12.1%}" for one in plain)
        return f"{name:10} {len(labels):6} {known:10} {cosines} {share(ours, truth):10.1%}"

    async def few_shot(self, name: str, seeds: int) -> str:
        training = self.rows(name, f"{name}_train.jsonl.gz")
        rows = self.rows(name, ZERO_SHOT[name])
        found: list[tuple[float, float, float]] = []
        for seed in range(seeds):
            head = await self.trained(examples=shots(training, seed))
            results = await self.answers(head, rows)
            right = np.array([one["label"] for one in results]) == [row["label"] for row in rows]
            sure = np.array([one["score"] for one in results], dtype=np.float32)
            evaluation = heads.read(head).card.evaluation
            found.append(
                (float(right.mean()), evaluation.accuracy.value, calibration_error(sure, right))
            )
        correct, foretold, error = np.mean(found, axis=0)
        spread = float(np.std([one[0] for one in found]))
        return f"{name:10} {correct:8.1%} ± {spread:.1%} {foretold:14.1%} {error:12.3f}"

    async def scope(self) -> str:
        """CLINC150's questions that none of its labels is for."""
        name = "clinc150"
        strangers = [row["text"] for row in self.rows(name, "clinc150_oos_train.jsonl.gz")]
        head = await self.trained(
            examples=shots(self.rows(name, "clinc150_train.jsonl.gz"), 0), out_of_scope=strangers
        )
        inside = await self.answers(head, self.rows(name, ZERO_SHOT[name]))
        outside = await self.answers(head, self.rows(name, "clinc150_oos_test.jsonl.gz"))
        scores = [
            np.array([one["in_scope"]["score"] for one in some], dtype=np.float32)
            for some in (inside, outside)
        ]
        kept, let_in = (
            np.mean([one["in_scope"]["decision"] for one in some]) for some in (inside, outside)
        )
        return (
            f"AUROC {auroc(scores[0], scores[1]):.3f}; answered in scope {kept:.1%}, "
            f"refused out of scope {1 - let_in:.1%}"
        )

    async def trained(self, **fields: Any) -> bytes:
        request = ClassifierCreate.model_validate({"name": "bench"} | fields)
        head: bytes = (await self.run(train_classifier.TASK, request))["head"]
        return head

    async def answers(self, head: bytes, rows: Rows) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for start in range(0, len(rows), BATCH):
            some = [row["text"] for row in rows[start : start + BATCH]]
            request = HeadedRequest(text=some, classifier="bench", head=head, top_k=1)
            found += (await self.run(classify.TASK, request))["results"]
        return found


def shots(rows: Rows, seed: int) -> dict[str, list[str]]:
    """Some texts of each label, drawn by the seed."""
    chosen: dict[str, list[str]] = {}
    for index in np.random.default_rng(seed).permutation(len(rows)).tolist():
        texts = chosen.setdefault(rows[index]["label"], [])
        if len(texts) < SHOTS:
            texts.append(rows[index]["text"])
    return chosen


def share(found: Sequence[str | None], truth: Sequence[str]) -> float:
    return sum(one == true for one, true in zip(found, truth, strict=True)) / len(truth)


async def measure(folder: Path, seeds: int, only: Sequence[str]) -> None:
    settings = load_settings({})
    engine = await asyncio.to_thread(
        create, WorkerOptions(device="cpu", kernels=str(settings.cache / "kernels"))
    )
    ref = Store(settings.cache).ref(settings.embed_model)
    try:
        async with engine.using(ref) as model:
            bench = Bench(engine, model, folder)
            if "zero-shot" in only:
                print(
                    f"{'zero-shot':10} {'labels':>6} {'with sense':>10} {'plain cosine':>12} "
                    f"{'as words':>12} {'classify':>10}"
                )
                for name in ZERO_SHOT:
                    print(await bench.zero_shot(name), flush=True)
            if "few-shot" in only:
                print(f"\n{'few-shot':10} {'correct':>15} {'cross-validated':>15} {'ECE':>11}")
                for name in FEW_SHOT:
                    print(await bench.few_shot(name, seeds), flush=True)
            if "scope" in only:
                print(f"\nclinc150, out of scope: {await bench.scope()}", flush=True)
    finally:
        await asyncio.to_thread(engine.close)


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy of classify on labelled texts.")
    parser.add_argument("--eval-data", type=Path, required=True, help="the folder with the sets")
    parser.add_argument("--seeds", type=int, default=10, help="draws of examples")
    parts = ("zero-shot", "few-shot", "scope")
    parser.add_argument("--only", action="append", choices=parts, help="repeatable")
    options = parser.parse_args()
    asyncio.run(measure(options.eval_data, options.seeds, options.only or parts))


if __name__ == "__main__":
    main()
