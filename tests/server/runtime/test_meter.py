"""What steps are counted as: by hand, in the scheduler, and in every kind of lane."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from llmaas_server.runtime.blocks import Blocks
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.lane import Job, Lane
from llmaas_server.runtime.lanes.encode import EncodeLane
from llmaas_server.runtime.lanes.seq2seq import Seq2SeqLane
from llmaas_server.runtime.lanes.trace import TraceLane
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.meter import Buckets, Meter
from llmaas_server.runtime.request import Attention, Encoding, Generation, Scoring
from llmaas_server.runtime.scheduler import Scheduler
from llmaas_server.runtime.sequence import GenerateSequence
from llmaas_server.seam.lanes import BATCH_SIZES, STEP_SECONDS, LaneState, LaneWork
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny
from support.decoders import GREEDY, decoder, greedy, lane_of, prompt_of
from support.engines import OPTIONS, idle, until

CPU = WorkerOptions(device="cpu", max_step_tokens=64)
BLOCK = 16
"""Tokens of a block of torch's decoder."""
TOKEN_BYTES = 3 * 2 * 2 * 8 * 4
"""Of the keys and values of a token of the tiny Llama."""


def read(lane: Lane) -> LaneWork:
    return lane.meter.read("m", "l")


def step(lane: Lane) -> None:
    """As the loop does: a step of 3 ms."""
    for output in lane.step():
        assert output.problem is None
    lane.meter.stepped(0.003)


def run(lane: Lane, *works: Any, tenant: str = "t") -> LaneWork:
    for id, work in enumerate(works):
        lane.submit(Job(id, work, submitted=0.0, tenant=tenant))
    while lane.busy:
        step(lane)
    lane.check()
    return read(lane)


def batches(work: LaneWork) -> dict[float, int]:
    """Bound -> steps with so many sequences, and not fewer than the bound before."""
    counts = zip((*BATCH_SIZES, float("inf")), work.batch_sizes.counts, strict=True)
    return {bound: count for bound, count in counts if count}


# --- by hand ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "bucket"), [(0.0, 0), (1.0, 0), (1.5, 1), (2.0, 1), (2.1, 2), (1e9, 2)]
)
def test_a_value_falls_into_the_first_bucket_that_holds_it(value: float, bucket: int) -> None:
    buckets = Buckets((1.0, 2.0))
    buckets.observe(value)
    found = buckets.read()
    assert [index for index, count in enumerate(found.counts) if count] == [bucket]
    assert found.sum == value


def test_a_step_has_one_time_and_one_batch() -> None:
    meter = Meter()
    for sequences, seconds in ((3, 0.002), (600, 11.0)):
        meter.batch = sequences
        meter.stepped(seconds)
    found = meter.read("m", "generate")
    assert found.step_seconds.sum == pytest.approx(11.002)
    assert found.step_seconds.counts[STEP_SECONDS.index(0.0025)] == 1
    assert found.step_seconds.counts[-1] == 1
    assert found.batch_sizes.sum == 603
    assert batches(found) == {4: 1, float("inf"): 1}
    assert meter.batch == 0


# --- the scheduler ------------------------------------------------------------------------------


def scheduled(blocks: int, *prompts: int, tokens: int = 3) -> Meter:
    """What is counted while these run to their end; nothing that is drawn was guessed."""
    meter = Meter()
    scheduler = Scheduler(Blocks(blocks, 1), max_sequences=4, max_step_tokens=8, meter=meter)
    for id, length in enumerate(prompts):
        work = Generation(prompt_of(length, seed=id), tokens, tenant="t")
        scheduler.add(GenerateSequence(id, work, seed=0, submitted=0.0))
    new = 1000
    while scheduler.busy:
        for chunk in scheduler.schedule(now=1.0):
            sequence = chunk.sequence
            assert isinstance(sequence, GenerateSequence)
            drafted = max(0, len(chunk.wanted) - 1)
            sequence.computed = chunk.stop - drafted
            sequence.settle(drafted, 0)
            if chunk.wanted:
                new += 1
                if sequence.append(new, now=2.0) is not None:
                    scheduler.drop(sequence.id)
    return meter


def test_prompts_are_prefill_and_answers_decode() -> None:
    meter = scheduled(100, 19, 5)
    assert meter.prefill_tokens == 24
    assert meter.decode_tokens == 4, "the first of three comes with the prompt"
    assert meter.preemptions == 0
    assert (meter.prefix_queries, meter.prefix_hits) == (24, 0)


def test_what_is_taken_back_is_counted_and_computed_again() -> None:
    meter = scheduled(20, 8, 8, tokens=6)
    assert meter.preemptions > 0
    assert meter.prefill_tokens > 16
    assert (meter.prefix_queries, meter.prefix_hits) == (16, 0), "asked once for each prompt"


# --- lanes --------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def module() -> Any:
    return decoder()


def test_a_generation_alone(module: Any) -> None:
    found = run(lane_of(copy.deepcopy(module), max_step_tokens=32), greedy(40, max_tokens=5))
    assert found.prefill_tokens == 40
    assert found.decode_tokens == 4
    assert found.step_seconds.count == found.batch_sizes.count == 2 + 4
    assert found.step_seconds.sum == pytest.approx(6 * 0.003)
    assert batches(found) == {1: 6}


def test_a_prompt_that_was_there_is_a_hit(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module))
    first = run(lane, greedy(40, max_tokens=1))
    assert (first.prefix_queries, first.prefix_hits) == (40, 0)
    again = run(lane, greedy(40, max_tokens=1))
    assert (again.prefix_queries, again.prefix_hits) == (80, 2 * BLOCK)
    assert again.prefill_tokens == 40 + 8


def test_several_share_steps(module: Any) -> None:
    found = run(lane_of(copy.deepcopy(module)), *(greedy(length, 3) for length in (5, 6, 7)))
    assert batches(found) == {4: 3}
    assert found.batch_sizes.sum == 9


def test_scores_are_prefill(module: Any) -> None:
    prefix = prompt_of(10)
    found = run(lane_of(copy.deepcopy(module)), Scoring(prefix, ((5, 6), (7,))))
    assert (found.prefill_tokens, found.decode_tokens) == (11, 0), "the last is never computed"
    assert found.prefix_queries == 10


def test_right_guesses_are_tokens_of_the_answer() -> None:
    repeating = (11, 12, 13, 14, 15, 16, 17) * 6
    lane = lane_of(decoder(seed=3, num_hidden_layers=1, initializer_range=0.05))
    found = run(lane, Generation(repeating, 64, GREEDY))
    assert found.decode_tokens == 63
    assert 0 < found.accepted_tokens <= found.drafted_tokens
    assert found.step_seconds.count == 1 + 63 - found.accepted_tokens


def test_what_a_generate_lane_has_now(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module), max_sequences=2, kv_bytes=20 * BLOCK * TOKEN_BYTES)
    block = BLOCK * TOKEN_BYTES
    assert lane.state == LaneState(kv_limit_bytes=20 * block)
    for id, length in enumerate((20, 30, 40)):
        lane.submit(Job(id, greedy(length, 8), 0.0))
    assert lane.state.waiting == 3
    step(lane)
    assert lane.state == LaneState(2, 1, 4 * block, 0, 20 * block)
    lane.abort(0)
    lane.abort(1)
    assert lane.state == LaneState(0, 1, 0, 2 * block, 20 * block)


def test_an_encode_lane(tmp_path: Any) -> None:
    lane = EncodeLane(load(tiny.embedder(tmp_path), CPU, lambda share: None), CPU)
    texts = Encoding(tuple((tuple([7] * length), None) for length in (5, 6, 40, 40)), head=False)
    lane.submit(Job(0, texts, 0.0))
    lane.submit(Job(1, texts, 0.0))
    assert lane.state == LaneState(waiting=8)
    step(lane)
    assert read(lane).batch_sizes.sum == 4, "the short ones of both jobs"
    assert lane.state == LaneState(waiting=4)
    lane.abort(1)
    assert lane.state == LaneState(waiting=2)
    while lane.busy:
        step(lane)
    found = read(lane)
    assert (found.prefill_tokens, found.decode_tokens) == (22 + 80, 0)
    assert batches(found) == {1: 2, 4: 1}
    assert lane.state == LaneState()


def test_a_seq2seq_lane(tmp_path: Any) -> None:
    model = load(tiny.bart(tmp_path), CPU, lambda share: None)
    lane = Seq2SeqLane(model, CPU)
    source = tuple(model.tokenizer.encode("The quick brown fox"))
    for id in range(2):
        lane.submit(Job(id, Generation(source, 4, GREEDY), 0.0))
    assert (lane.state.running, lane.state.waiting) == (0, 2)
    step(lane)
    assert (lane.state.running, lane.state.waiting) == (2, 0)
    assert 0 < lane.state.kv_used_bytes < lane.state.kv_limit_bytes
    while lane.busy:
        step(lane)
    found = read(lane)
    assert found.prefill_tokens == 2 * len(source)
    assert found.decode_tokens == found.batch_sizes.sum, "one in each step of each"
    assert lane.state == LaneState(kv_limit_bytes=CPU.kv_bytes)


def test_a_trace_lane(tmp_path: Any) -> None:
    model = load(tiny.embedder(tmp_path), CPU, lambda share: None)
    model.module.set_attn_implementation("eager")
    lane = TraceLane(model, CPU)
    lane.submit(Job(0, Attention((2, 7, 8, 3), None), 0.0))
    assert lane.state == LaneState(waiting=1)
    while lane.busy:
        step(lane)
    found = read(lane)
    assert (found.prefill_tokens, found.decode_tokens, batches(found)) == (4, 0, {1: 1})
    assert lane.state == LaneState()


# --- the engine ---------------------------------------------------------------------------------


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = create(OPTIONS)
    yield engine
    await asyncio.to_thread(engine.close)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return tiny.embedder(tmp_path_factory.mktemp("embedder"))


async def embed(engine: Engine, model: Model, texts: Sequence[Sequence[int]]) -> LaneWork:
    await engine.embed(model, texts)
    await until(idle(engine))
    [found] = engine.work()
    return found


async def test_work_outlives_the_model(engine: Engine, embedder: ModelRef) -> None:
    assert engine.work() == []
    first = await embed(engine, await engine.load(embedder), [[2, 5, 3]])
    assert (first.model, first.lane) == ("tiny-embedder", "encode")
    assert (first.prefill_tokens, first.step_seconds.count) == (3, 1)
    assert first.step_seconds.sum > 0
    await engine.unload(embedder.name)
    assert engine.models() == []
    assert engine.work() == [first]
    again = await embed(engine, await engine.load(embedder), [[2, 5, 3], [2, 5, 6, 3]])
    assert (again.prefill_tokens, again.step_seconds.count) == (10, 2)
    assert again.batch_sizes.sum == 3


async def test_a_lane_that_has_not_stepped_counts_from_nothing(
    engine: Engine, embedder: ModelRef
) -> None:
    await engine.load(embedder)
    [found] = engine.work()
    assert (found.step_seconds.count, found.prefill_tokens) == (0, 0)
    assert [one.now for one in engine.models()] == [LaneState()]
