"""Making classifiers through a runtime that counts words, and through one with a real model."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import os
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from llmaas_client.wire.classifiers import ClassifierCreate, PerClass
from llmaas_client.wire.classify import MAX_LABELS
from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam import heads
from llmaas_server.seam.values import ModelRef, Result
from llmaas_server.tasks import classify, train_classifier
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.classifiers.trained import HeadedRequest
from llmaas_server.tasks.heads.scope import auroc
from support.cards import card
from support.fake_runtime import FakeRuntime, bag_of_words, fake_model

CHAT = ("hello there friend", "hi there friend", "good morning friend", "hello my friend")
BILL = ("pay the invoice now", "the invoice is wrong", "an invoice to pay", "wrong sum to pay")


async def trained(runtime: Runtime, model: Model, **fields: Any) -> Result:
    request = ClassifierCreate.model_validate({"name": "a"} | fields)
    task = train_classifier.TASK
    prompt = task.prompt(request, model, None)
    events = [event async for event in task.run(prompt, model, runtime, Caller())]
    result = events[-1]
    assert isinstance(result, Result)
    assert result.usage.prompt_tokens == prompt.prompt_tokens
    return result


async def asked(
    runtime: Runtime, model: Model, head: bytes, text: str | list[str], **fields: Any
) -> dict[str, Any]:
    request = HeadedRequest.model_validate(
        {"text": text, "classifier": "a@1", "head": head} | fields
    )
    task = classify.TASK
    prompt = task.prompt(request, model, None)
    events = [event async for event in task.run(prompt, model, runtime, Caller())]
    result = events[-1]
    assert isinstance(result, Result)
    assert result.usage.prompt_tokens == prompt.prompt_tokens
    return result.body


async def test_what_was_learned_is_applied() -> None:
    runtime, model = FakeRuntime(), fake_model()
    made = await trained(runtime, model, examples={"chat": [*CHAT], "bill": [*BILL]})
    head = made.body["head"]
    card = heads.read(head).card
    assert (card.model, card.dimensions, card.labels) == ("fake-encoder", 256, ["chat", "bill"])
    body = await asked(runtime, model, head, ["an invoice", "hello friend"], top_k=1)
    assert [one["label"] for one in body["results"]] == ["bill", "chat"]
    assert [len(one["scores"]) for one in body["results"]] == [1, 1]
    assert body["calibration"] == "temperature, 4-fold"
    assert (body["method"], body["classifier"]) == ("classifier", "a@1")
    assert body["results"][0]["in_scope"]["decision"] is None


async def test_a_calibration_of_each_label_is_applied() -> None:
    runtime, model = FakeRuntime(), fake_model()
    weights = np.stack([bag_of_words("good"), bag_of_words("bad")])
    per_class = PerClass(scales=[0.5, 2.0], offsets=[0.25, -1.0])
    made = card(model.ref.name, model.ref.fingerprint).model_copy(
        update={"dimensions": 256, "per_class": per_class, "calibration": "per class, 5-fold"}
    )
    head = heads.write(heads.Head(made, weights.tobytes()))
    body = await asked(runtime, model, head, ["good", "bad"])
    assert body["calibration"] == "per class, 5-fold"
    for logits, one in zip(((1.0, 0.0), (0.0, 1.0)), body["results"], strict=True):
        good, bad = logits[0] / 0.5 * 0.5 + 0.25, logits[1] / 0.5 * 2.0 - 1.0
        chance = math.exp(good) / (math.exp(good) + math.exp(bad))
        scores = {score["label"]: score["score"] for score in one["scores"]}
        assert scores == {"good": pytest.approx(chance), "bad": pytest.approx(1 - chance)}


async def test_a_calibration_can_be_asked_for() -> None:
    runtime, model = FakeRuntime(), fake_model()
    examples = {"chat": [*CHAT], "bill": [*BILL]}
    made = await trained(runtime, model, examples=examples, calibration="per_class")
    found = heads.read(made.body["head"]).card
    assert found.calibration == "per class, 4-fold"
    assert found.per_class is not None
    assert len(found.per_class.scales) == len(found.per_class.offsets) == 2


async def test_names_and_descriptions_are_evidence() -> None:
    examples = {"x": ["one two", "two three"], "y": ["four five", "five six"]}
    runtime, model = FakeRuntime(), fake_model()
    described = await trained(
        runtime, model, examples=examples, descriptions={"y": "weather and rain"}
    )
    body = await asked(runtime, model, described.body["head"], "rain and weather")
    assert body["results"][0]["label"] == "y"


async def test_strangers_are_abstained_from() -> None:
    runtime, model = FakeRuntime(), fake_model()
    made = await trained(
        runtime,
        model,
        examples={"chat": [*CHAT], "bill": [*BILL]},
        out_of_scope=["quantum physics lecture", "volcano eruption news", "chess opening theory"],
    )
    result = (await asked(runtime, model, made.body["head"], "astronomy lecture"))["results"][0]
    assert (result["label"], result["abstained"]) == (None, True)
    assert result["in_scope"]["decision"] is False
    result = (await asked(runtime, model, made.body["head"], "pay the invoice"))["results"][0]
    assert (result["label"], result["in_scope"]["decision"]) == ("bill", True)


async def test_an_error_that_cannot_be_shown_is_refused() -> None:
    runtime, model = FakeRuntime(), fake_model()
    made = await trained(runtime, model, examples={"chat": [*CHAT], "bill": [*BILL]})
    with pytest.raises(Problem, match="at least 59 are needed") as caught:
        await asked(runtime, model, made.body["head"], "hello", max_error=0.05)
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "max_error")
    body = await asked(runtime, model, made.body["head"], "hello friend", max_error=0.4)
    assert body["threshold"] > 0


async def test_a_head_of_other_vectors_is_refused() -> None:
    runtime, model = FakeRuntime(), fake_model()
    made = await trained(runtime, model, examples={"chat": [*CHAT], "bill": [*BILL]})
    other = fake_model("decoder", embeds=True)
    with pytest.raises(Problem, match="is for fake-encoder") as caught:
        await asked(runtime, other, made.body["head"], "hello")
    assert caught.value.code == "conflict"


async def test_a_model_without_vectors_is_refused() -> None:
    with pytest.raises(Problem) as caught:
        await trained(
            FakeRuntime(), fake_model("decoder"), examples={"a": ["b", "c"], "d": ["e", "f"]}
        )
    assert caught.value.code == "model_cannot_do_task"


async def test_stopping_stops_the_training() -> None:
    model, examples = fake_model(), {"chat": [*CHAT], "bill": [*BILL]}
    prompt = train_classifier.TASK.prompt(
        ClassifierCreate.model_validate({"name": "a", "examples": examples}), model, None
    )
    events = train_classifier.TASK.run(prompt, model, FakeRuntime(), Caller())
    await anext(events)  # the vectors are there, and training begins
    training = asyncio.ensure_future(anext(events))
    await asyncio.sleep(0)
    training.cancel()
    with pytest.raises(asyncio.CancelledError):
        await training
    await events.aclose()


async def test_a_thousand_labels_take_one_pass_of_the_text() -> None:
    runtime, model = FakeRuntime(), fake_model()
    weights = np.random.default_rng(0).normal(size=(MAX_LABELS, 256)).astype(np.float32)
    labels = [f"label {number}" for number in range(MAX_LABELS)]
    made = card(model.ref.name, model.ref.fingerprint)
    made = made.model_copy(update={"labels": labels, "dimensions": 256})
    head = heads.write(heads.Head(made, weights.tobytes()))
    body = await asked(runtime, model, head, ["some words", "other things"])
    assert sum(map(len, runtime.embedded)) == 2
    for text, one in zip(("some words", "other things"), body["results"], strict=True):
        assert one["label"] == labels[int((weights @ bag_of_words(text)).argmax())]


SHOTS = 8
SEEDS = 2


@pytest.fixture
def data() -> Path:
    folder = os.environ.get("LLMAAS_EVAL_DATA")
    if not folder:
        pytest.skip("LLMAAS_EVAL_DATA names no folder with evaluation data")
    return Path(folder)


@pytest.mark.parametrize(
    ("name", "test", "least"),
    [("clinc150", "clinc150_test.jsonl.gz", 0.84), ("snips", "snips_test.jsonl", 0.90)],
)
async def test_eight_examples_a_label(
    data: Path, engine: Engine, embedding_ref: ModelRef, name: str, test: str, least: float
) -> None:
    training = rows_in(data / name / f"{name}_train.jsonl.gz")
    questions = rows_in(data / name / test)[::3]
    shares = []
    async with engine.using(embedding_ref) as model:
        for seed in range(SEEDS):
            examples = shots(training, seed)
            started = time.perf_counter()
            made = await trained(engine, model, examples=examples)
            seconds = time.perf_counter() - started
            found = await answers(engine, model, made.body["head"], questions)
            right = [
                one["label"] == row["label"] for one, row in zip(found, questions, strict=True)
            ]
            shares.append(sum(right) / len(right))
            print(f"{name}, seed {seed}: {shares[-1]:.3f}, trained in {seconds:.1f} s")
    assert sum(shares) / len(shares) >= least


async def test_what_is_out_of_scope_scores_lower(
    data: Path, engine: Engine, embedding_ref: ModelRef
) -> None:
    folder = data / "clinc150"
    inside = rows_in(folder / "clinc150_test.jsonl.gz")[::4]
    outside = rows_in(folder / "clinc150_oos_test.jsonl.gz")
    async with engine.using(embedding_ref) as model:
        examples = shots(rows_in(folder / "clinc150_train.jsonl.gz"), 0)
        head = (await trained(engine, model, examples=examples)).body["head"]
        scores = [
            np.array([one["in_scope"]["score"] for one in await answers(engine, model, head, some)])
            for some in (inside, outside)
        ]
    found = auroc(scores[0], scores[1])
    print(f"AUROC {found:.3f}")
    assert found >= 0.90


def rows_in(path: Path) -> list[dict[str, str]]:
    read = gzip.open if path.suffix == ".gz" else open
    with read(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def shots(rows: list[dict[str, str]], seed: int) -> dict[str, list[str]]:
    """Some texts of each label, drawn by the seed."""
    order = np.random.default_rng(seed).permutation(len(rows))
    chosen: dict[str, list[str]] = {}
    for index in order.tolist():
        texts = chosen.setdefault(rows[index]["label"], [])
        if len(texts) < SHOTS:
            texts.append(rows[index]["text"])
    return chosen


async def answers(
    runtime: Runtime, model: Model, head: bytes, rows: list[dict[str, str]]
) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for start in range(0, len(rows), 500):
        texts = [row["text"] for row in rows[start : start + 500]]
        found += (await asked(runtime, model, head, texts, top_k=1))["results"]
    return found
