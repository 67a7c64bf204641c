"""Gradients and attention: equal to what torch gives without our path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.lanes.trace import TraceLane
from llmaas_server.runtime.loader import LoadedModel, load
from llmaas_server.runtime.request import Attention, Attributed, Attribution, Readout
from llmaas_server.runtime.twin import twin_of
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny
from support.engines import OPTIONS

TEXT = "The quick brown fox jumps over the lazy dog; I love Python!"


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = await asyncio.to_thread(create, OPTIONS)
    yield engine
    await asyncio.to_thread(engine.close)


def twin(ref: ModelRef) -> LoadedModel:
    model = load(twin_of(ref), OPTIONS, lambda share: None)
    model.module.set_attn_implementation("eager")
    return model


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return twin(tiny.embedder(tmp_path_factory.mktemp("embedder")))


@pytest.fixture(scope="module")
def classifier(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return twin(tiny.classifier(tmp_path_factory.mktemp("classifier"), labels=("a", "b", "c")))


def attribution(
    model: LoadedModel, readout: Readout, *, steps: int = 64, text: str = TEXT
) -> Attribution:
    ids = tuple(model.tokenizer.encode(text))
    replaced = tuple(place.start is not None for place in model.tokenizer.places(text))
    return Attribution(ids, None, replaced, readout, steps)


def linear(model: LoadedModel, rows: int = 3) -> Readout:
    """A head over unit vectors, whose first label stands against the others."""
    draw = np.random.default_rng(3)
    weights = draw.normal(size=(rows, model.config.hidden_size)).astype(np.float32)
    bias = draw.normal(size=rows).astype(np.float32)
    return Readout(0, tuple(range(1, rows)), weights, bias)


HEAD = Readout(1, (0, 2))


def run(lane: TraceLane, *works: Any) -> dict[int, Output]:
    for id, work in enumerate(works):
        lane.submit(Job(id, work, submitted=0.0))
    outputs: dict[int, Output] = {}
    while lane.busy:
        outputs |= {output.job_id: output for output in lane.step()}
        lane.check()
    return outputs


def attributed(model: LoadedModel, work: Attribution, options: Any = OPTIONS) -> Attributed:
    [output] = run(TraceLane(model, options), work).values()
    assert output.problem is None
    found: Attributed = output.items[0]
    return found


def plain(model: LoadedModel, work: Attribution, points: int) -> tuple[Any, float, float]:
    """Integrated gradients by the midpoint rule, through `inputs_embeds`, one point at a time."""
    table = model.module.get_input_embeddings().weight.detach()
    text = table[list(work.ids)]
    mask = torch.tensor(work.replaced)[:, None]
    nothing = torch.where(mask, table[model.config.pad_token_id], text)

    def value(embedded: Any) -> Any:
        output = model.module(inputs_embeds=embedded[None])
        if work.readout.weights is None:
            scores = output.logits[0]
        else:
            vector = output.last_hidden_state[0].mean(0)
            bias = torch.from_numpy(work.readout.bias)
            scores = torch.from_numpy(work.readout.weights) @ (vector / vector.norm()) + bias
        rest = torch.stack([scores[i] for i in work.readout.against]).exp().sum().log()
        return scores[work.readout.chosen] - rest

    total = torch.zeros_like(text)
    for k in range(points):
        point = (nothing + (k + 0.5) / points * (text - nothing)).requires_grad_()
        total += torch.autograd.grad(value(point), point)[0] / points
    with torch.no_grad():
        ends = float(value(text)), float(value(nothing))
    return (total * (text - nothing)).sum(-1).numpy(), *ends


@pytest.mark.parametrize("fixture", ["embedder", "classifier"])
def test_equal_to_gradients_without_our_path(fixture: str, request: pytest.FixtureRequest) -> None:
    model: LoadedModel = request.getfixturevalue(fixture)
    work = attribution(model, linear(model) if fixture == "embedder" else HEAD, steps=128)
    found = attributed(model, work)
    scores, value, baseline = plain(model, work, points=400)
    assert found.value == pytest.approx(value, abs=1e-4)
    assert found.baseline == pytest.approx(baseline, abs=1e-4)
    np.testing.assert_allclose(found.scores, scores, atol=0.02 * np.abs(scores).max())
    assert np.abs(scores).max() > 0.05


@pytest.mark.parametrize("fixture", ["embedder", "classifier"])
def test_scores_sum_to_the_difference(fixture: str, request: pytest.FixtureRequest) -> None:
    model: LoadedModel = request.getfixturevalue(fixture)
    readout = linear(model) if fixture == "embedder" else HEAD
    gaps = []
    for steps in (2, 256):
        found = attributed(model, attribution(model, readout, steps=steps))
        gaps.append(abs(found.scores.sum() - (found.value - found.baseline)))
    assert gaps[1] < 0.01 * abs(found.value - found.baseline)
    assert gaps[1] < gaps[0]


def test_only_what_is_replaced_has_a_part(classifier: LoadedModel) -> None:
    work = attribution(classifier, HEAD)
    found = attributed(classifier, work)
    assert [bool(score) for score in found.scores] == list(work.replaced)
    assert not work.replaced[0]
    assert not work.replaced[-1]


def test_pairs_keep_their_second_text(classifier: LoadedModel) -> None:
    ids, types = classifier.tokenizer.encode_pair("I love Python", "I love it")
    places = classifier.tokenizer.places("I love Python", "I love it")
    replaced = tuple(place.start is not None for place in places)
    readout = Readout(1, (0, 2))
    with_types = attributed(
        classifier, Attribution(tuple(ids), tuple(types), replaced, readout, 64)
    )
    without = attributed(classifier, Attribution(tuple(ids), None, replaced, readout, 64))
    assert [bool(score) for score in with_types.scores] == list(replaced)
    assert sum(replaced) == len(classifier.tokenizer.encode("I love Python", special=False))
    assert abs(with_types.value - without.value) > 1e-4


def test_a_step_is_bounded_and_jobs_take_turns(classifier: LoadedModel) -> None:
    lane = TraceLane(classifier, WorkerOptions(device="cpu", max_step_tokens=128))
    work = attribution(classifier, HEAD, steps=40)
    for id in range(2):
        lane.submit(Job(id, work, submitted=0.0))
    led: list[int] = []
    while lane.busy:
        lane.step()
        [(id, tokens)] = lane.loads.items()
        assert 3 * tokens <= 128 or tokens == len(work.ids)
        led.append(id)
    assert led == [0, 1] * (len(led) // 2)
    assert len(led) > 10


def test_how_points_are_divided_changes_nothing(classifier: LoadedModel) -> None:
    work = attribution(classifier, HEAD)
    at_once = attributed(classifier, work, WorkerOptions(device="cpu", max_step_tokens=100_000))
    np.testing.assert_allclose(attributed(classifier, work).scores, at_once.scores, atol=1e-5)


def test_attention_is_that_of_transformers(embedder: LoadedModel) -> None:
    ids = tuple(embedder.tokenizer.encode(TEXT))
    [output] = run(TraceLane(embedder, OPTIONS), Attention(ids, None)).values()
    [found] = output.items
    with torch.inference_mode():
        expected = embedder.module(torch.tensor([ids]), output_attentions=True).attentions
    assert found.shape == (2, 4, len(ids), len(ids))
    np.testing.assert_allclose(found, torch.stack(expected)[:, 0], atol=1e-6)
    np.testing.assert_allclose(found.sum(-1), 1.0, atol=1e-5)


def test_an_encoder_decoder_is_refused(tmp_path: Path) -> None:
    model = load(twin_of(tiny.bart_nli(tmp_path)), OPTIONS, lambda share: None)
    with pytest.raises(Problem) as caught:
        TraceLane(model, OPTIONS)
    assert caught.value.code == "model_cannot_do_task"
    assert "encoder-decoder" in caught.value.message


def test_a_table_that_is_asked_twice_is_refused(
    classifier: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = classifier.module.forward

    def twice(**inputs: Any) -> Any:
        classifier.module.get_input_embeddings()(inputs["input_ids"])
        return forward(**inputs)

    monkeypatch.setattr(classifier.module, "forward", twice)
    [output] = run(TraceLane(classifier, OPTIONS), attribution(classifier, HEAD)).values()
    assert output.problem is not None
    assert output.problem.code == "model_cannot_do_task"


# --- through the engine -------------------------------------------------------------------------


def whole(model: Model, steps: int) -> Attribution:
    ids = tuple(model.tokenizer.encode(TEXT))
    replaced = tuple(place.start is not None for place in model.tokenizer.places(TEXT))
    return Attribution(ids, None, replaced, Readout(0, (1, 2)), steps)


async def test_the_engine_loads_a_twin_and_unloads_it(engine: Engine, tmp_path: Path) -> None:
    model = await engine.load(tiny.classifier(tmp_path, labels=("a", "b", "c")))
    found = await engine.attribute(model, whole(model, 32))
    weights = await engine.attention(model, [*whole(model, 1).ids], None)
    [logits] = await engine.classify(model, [(whole(model, 1).ids, None)])
    assert found.value == pytest.approx(logits[0] - np.logaddexp(*logits[1:]), abs=1e-4)
    assert weights.shape[:2] == (2, 4)
    assert {status.name for status in engine.models()} == {
        "tiny-classifier",
        "tiny-classifier (float32)",
    }
    await engine.unload("tiny-classifier")
    assert engine.models() == []


async def test_leaving_ends_the_work(engine: Engine, tmp_path: Path) -> None:
    model = await engine.load(tiny.classifier(tmp_path, labels=("a", "b", "c")))
    await engine.attribute(model, whole(model, 4))
    work = asyncio.create_task(engine.attribute(model, whole(model, 512)))
    async with asyncio.timeout(20):
        before = engine.progress()
        while engine.progress() < before + 3:  # noqa: ASYNC110 (a thread tells nobody)
            await asyncio.sleep(0.001)
        work.cancel()
        with pytest.raises(asyncio.CancelledError):
            await work
        await engine.settled()
        while engine.busy:  # noqa: ASYNC110
            await asyncio.sleep(0.001)


async def test_a_deadline_ends_the_work(engine: Engine, tmp_path: Path) -> None:
    model = await engine.load(tiny.classifier(tmp_path, labels=("a", "b", "c")))
    await engine.attribute(model, whole(model, 4))
    with pytest.raises(Problem) as caught:
        await engine.attribute(model, whole(model, 512), deadline=0.0)
    assert caught.value.code == "deadline_exceeded"


async def test_a_decoder_has_no_gradients(engine: Engine, tmp_path: Path) -> None:
    model = await engine.load(tiny.llama(tmp_path))
    with pytest.raises(Problem) as caught:
        await engine.attention(model, [1, 2], None)
    assert caught.value.code == "model_cannot_do_task"


async def test_a_twin_needs_room(tmp_path: Path) -> None:
    ref = tiny.classifier(tmp_path, labels=("a", "b", "c"))
    room = int(1.5 * (tmp_path / "model.safetensors").stat().st_size)
    options = WorkerOptions(device="cpu", threads=1, dtype="float32", memory_bytes=room)
    engine = await asyncio.to_thread(create, options)
    try:
        async with engine.using(ref) as model:
            with pytest.raises(Problem) as caught:
                await engine.attribute(model, whole(model, 8))
    finally:
        await asyncio.to_thread(engine.close)
    assert caught.value.code == "out_of_memory"


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (tiny.embedder, "I love 今天 Python!"),
        (tiny.classifier, "  leading and  double spaces "),
        (tiny.bart_nli, "I love Python, 今天!"),
        (tiny.llama, "user I love 😀 today"),
    ],
)
def test_places_are_spans_of_the_text(tmp_path: Path, make: Any, text: str) -> None:
    tokenizer = load(make(tmp_path), OPTIONS, lambda share: None).tokenizer
    for places, ids in (
        (tokenizer.places(text), tokenizer.encode(text)),
        (tokenizer.places(text, "And more"), tokenizer.encode_pair(text, "And more")[0]),
    ):
        assert len(places) == len(ids)
        spans = [
            (place.start, place.end)
            for place in places
            if place.start is not None and place.end is not None
        ]
        covered = {i for start, end in spans for i in range(start, end)}
        assert covered == {i for i, character in enumerate(text) if not character.isspace()}
        assert spans == sorted(spans)
        assert all(not text[start].isspace() for start, end in spans)
