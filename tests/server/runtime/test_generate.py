from __future__ import annotations

import copy
import math
import random
from typing import Any

import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.cache import Cache
from llmaas_server.runtime.decoder import TorchDecoder
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Finish, Finished, Generation, Sampling, Token
from llmaas_server.runtime.sequence import Chunk
from support.decoders import (
    GREEDY,
    VOCABULARY,
    decoder,
    drain,
    greedy,
    ids_of,
    lane_of,
    prompt_of,
    reference,
)

MIXED = (3, 60, 1, 17, 130, 9, 44, 28, 5, 71, 2, 90, 33, 12, 50, 7)


@pytest.fixture(scope="module")
def module() -> Any:
    return decoder()


@pytest.fixture
def lane(module: Any) -> GenerateLane:
    return lane_of(copy.deepcopy(module), max_step_tokens=32)


def bytes_of(tokens: int) -> int:
    """KV memory for so many tokens of the tiny Llama."""
    return tokens * 3 * 2 * 2 * 8 * 4


def test_many_together_are_what_transformers_generates_alone(
    lane: GenerateLane, module: Any
) -> None:
    works = [greedy(length) for length in MIXED]
    found = [ids_of(items) for items in drain(lane, works)]
    assert found == [reference(module, work.prompt, 12)[0] for work in works]


def test_alone_is_as_among_others(lane: GenerateLane) -> None:
    together = drain(lane, [greedy(length) for length in MIXED])
    for length, items in zip(MIXED[:4], together, strict=False):
        [alone] = drain(lane, [greedy(length)])
        assert ids_of(alone) == ids_of(items)


def test_a_seed_draws_the_same_alone_and_among_others(lane: GenerateLane) -> None:
    sampling = Sampling(temperature=1.2, top_p=0.95, seed=42)
    work = Generation(prompt_of(21), 16, sampling)
    [alone] = drain(lane, [work])
    others = [Generation(prompt_of(length), 9, Sampling(seed=length)) for length in MIXED]
    among = drain(lane, [*others, work])[-1]
    assert ids_of(among) == ids_of(alone)
    [other] = drain(lane, [Generation(prompt_of(21), 16, Sampling(temperature=1.2, seed=43))])
    assert ids_of(other) != ids_of(alone)


def test_no_seed_is_a_fresh_one(lane: GenerateLane) -> None:
    works = [Generation(prompt_of(21), 16, Sampling(temperature=2.0))] * 2
    first, second = drain(lane, works)
    assert ids_of(first) != ids_of(second)


def test_a_stop_token_ends_the_answer_and_is_not_given_out(lane: GenerateLane) -> None:
    [items] = drain(lane, [greedy(17)])
    ids = ids_of(items)
    stop = next(at for at in range(1, 12) if ids[at] not in ids[:at])
    [stopped] = drain(lane, [greedy(17, stop_ids=frozenset({ids[stop]}))])
    assert ids_of(stopped) == ids[:stop]
    end = stopped[-1]
    assert isinstance(end, Finished)
    assert (end.reason, end.prompt_tokens, end.completion_tokens) == (Finish.STOP, 17, stop)


def test_max_tokens_end_the_answer(lane: GenerateLane) -> None:
    for most in (1, 2, 7):
        [items] = drain(lane, [greedy(17, max_tokens=most)])
        assert len(ids_of(items)) == most
        assert items[-1].reason is Finish.LENGTH
        assert items[-1].completion_tokens == most


def test_the_end_tells_how_long_it_took(lane: GenerateLane) -> None:
    [items] = drain(lane, [greedy(100)])
    end = items[-1]
    assert end.queue_s > 0  # submitted at 0, on a clock that runs
    assert end.prefill_s > 0
    assert end.decode_s > 0


def test_log_probabilities_are_those_of_a_whole_forward(lane: GenerateLane, module: Any) -> None:
    prompt = prompt_of(40)
    sampling = Sampling(temperature=0.5, top_k=4, seed=1)
    [items] = drain(lane, [Generation(prompt, 10, sampling, top_logprobs=3)])
    tokens = [item for item in items if isinstance(item, Token)]
    ids = [token.id for token in tokens]
    with torch.inference_mode():
        logits = module(torch.tensor([[*prompt, *ids]])).logits[0, len(prompt) - 1 : -1]
    expected = logits.log_softmax(-1)
    for row, token in zip(expected, tokens, strict=True):
        assert token.logprob == pytest.approx(float(row[token.id]), abs=1e-4)
        values = [value for _, value in token.top]
        assert values == pytest.approx(row.topk(3).values.tolist(), abs=1e-4)


def test_running_streams_get_a_token_in_every_step_beside_a_long_prompt(
    lane: GenerateLane,
) -> None:
    lane.submit(Job(0, greedy(4, max_tokens=40), 0.0))
    lane.step()
    lane.submit(Job(1, greedy(400, max_tokens=2), 0.0))
    for _ in range(400 // 32):
        [output] = lane.step()
        assert output.job_id == 0
        assert len(output.items) == 1
    while lane.busy:
        lane.step()


def test_sequences_wait_while_the_cache_is_full(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module), kv_bytes=bytes_of(64))
    works = [greedy(length) for length in (30, 31, 32, 5)]
    found = drain(lane, works)
    assert [ids_of(items) for items in found] == [
        reference(module, work.prompt, 12)[0] for work in works
    ]


def test_the_cache_stays_within_its_budget(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module), kv_bytes=bytes_of(64) + 100)
    drain(lane, [greedy(10)] * 8)
    decoder = lane.decoder
    assert isinstance(decoder, TorchDecoder)
    assert isinstance(decoder._cache, Cache)
    assert decoder._cache.capacity == 64
    assert decoder._cache.bytes_per_token == decoder.bytes_per_token == bytes_of(1)


def test_what_can_never_fit_is_refused_with_the_numbers(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module), kv_bytes=bytes_of(70))
    with pytest.raises(Problem, match=r"66 tokens.*holds 64") as caught:
        lane.submit(Job(0, greedy(55), 0.0))
    assert caught.value.code == "out_of_memory"
    assert not lane.busy


@pytest.mark.parametrize("steps", [0, 1, 2, 5])
def test_an_abort_frees_what_the_sequence_holds(lane: GenerateLane, steps: int) -> None:
    """In the queue, in the middle of the prompt, and in the middle of the answer."""
    lane.submit(Job(7, greedy(60, max_tokens=50), 0.0))
    for _ in range(steps):
        lane.step()
    lane.abort(7)
    assert not lane.busy
    lane.check()
    lane.abort(7)


def test_random_submits_and_aborts_leave_the_accounts_balanced(module: Any) -> None:
    lane = lane_of(copy.deepcopy(module), kv_bytes=bytes_of(200), max_step_tokens=16)
    chance = random.Random(3)
    alive: set[int] = set()
    for id in range(100):
        lane.submit(Job(id, greedy(chance.randint(1, 80), chance.randint(1, 12)), 0.0))
        alive.add(id)
        for _ in range(chance.randint(0, 3)):
            if lane.busy:
                alive -= {output.job_id for output in lane.step() if output.done}
                lane.check()
        if alive and chance.random() < 0.5:
            victim = chance.choice(sorted(alive))
            lane.abort(victim)
            alive.remove(victim)
            lane.check()
    while lane.busy:
        alive -= {output.job_id for output in lane.step() if output.done}
    assert not alive
    lane.check()
    assert lane._scheduler.blocks.available == lane._scheduler.blocks.capacity


def test_logits_that_are_not_numbers_fail_their_request_alone(module: Any) -> None:
    broken = copy.deepcopy(module)
    lane = lane_of(broken)
    bad = 7
    with torch.inference_mode():
        embedding = broken.model.embed_tokens.weight
        embedding[bad] = math.nan
    good = Generation(tuple(id for id in prompt_of(20) if id != bad), 1, GREEDY)
    lane.submit(Job(0, good, 0.0))
    lane.submit(Job(1, Generation((5, bad, 6), 4, GREEDY), 0.0))
    outputs = {output.job_id: output for output in lane.step()}
    assert outputs[0].problem is None
    assert outputs[0].done
    problem = outputs[1].problem
    assert problem is not None
    assert problem.code == "internal_error"
    assert not lane.busy
    lane.check()


def test_a_job_that_cannot_be_computed_fails_alone(lane: GenerateLane, module: Any) -> None:
    works = [greedy(length) for length in MIXED[:4]]
    poison = Generation((*prompt_of(40), VOCABULARY + 7), 4, GREEDY)
    found: dict[int, list[Any]] = {}
    problems: dict[int, Problem] = {}
    for id, work in enumerate([*works, poison]):
        lane.submit(Job(id, work, submitted=0.0))
    while lane.busy:
        for output in lane.step():
            found.setdefault(output.job_id, []).extend(output.items)
            if output.problem is not None:
                problems[output.job_id] = output.problem
    lane.check()
    assert {id: problem.code for id, problem in problems.items()} == {4: "internal_error"}
    assert "cannot compute this text" in problems[4].message
    expected = [reference(module, work.prompt, 12)[0] for work in works]
    assert [ids_of(found[id]) for id in range(4)] == expected


def test_a_step_without_memory_fails_those_alone_that_need_too_much(
    lane: GenerateLane, monkeypatch: pytest.MonkeyPatch
) -> None:
    compute = lane.decoder.logits

    def meagre(chunks: list[Chunk]) -> torch.Tensor:
        if sum(chunk.size for chunk in chunks) > 8:
            raise torch.OutOfMemoryError("no more")
        return compute(chunks)

    monkeypatch.setattr(lane.decoder, "logits", meagre)
    for id, length in enumerate((5, 8, 9)):
        lane.submit(Job(id, greedy(length), submitted=0.0))
    ends: dict[int, Problem | None] = {}
    while lane.busy:
        ends |= {output.job_id: output.problem for output in lane.step() if output.done}
    lane.check()
    assert {id: end and end.code for id, end in ends.items()} == {
        0: None,
        1: None,
        2: "out_of_memory",
    }
