"""What the cache spares: beginnings that were computed before, and what comes of too little room.

Whatever is reused, taken back or guessed, the text is that of one request alone.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llmaas_server.runtime.grammar import Grammars
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import (
    Finish,
    Finished,
    Generation,
    Sampling,
    Scoring,
    Token,
)
from support.decoders import GREEDY, decoder, drain, greedy, ids_of, lane_of, prompt_of, reference
from support.tiny_tokenizers import byte_level

BYTES = 3 * 2 * 2 * 8 * 4
"""Of the keys and values of a token of the tiny Llama."""


@pytest.fixture(scope="module")
def module() -> Any:
    return decoder()


@pytest.fixture
def lane(module: Any) -> GenerateLane:
    return lane_of(copy.deepcopy(module), max_step_tokens=32)


def end_of(items: Sequence[Any]) -> Finished:
    assert isinstance(items[-1], Finished)
    return items[-1]


def run(lane: GenerateLane, *works: Any, tenant: str = "t") -> list[list[Any]]:
    """The items of each; they run together."""
    items: dict[int, list[Any]] = {id: [] for id in range(len(works))}
    for id, work in enumerate(works):
        lane.submit(Job(id, work, submitted=0.0, tenant=tenant))
    while lane.busy:
        for output in lane.step():
            assert output.problem is None
            items[output.job_id] += output.items
        lane.check()
    return list(items.values())


# --- beginnings that were there -----------------------------------------------------------------


@pytest.mark.parametrize("length", [15, 16, 17, 33, 64, 65, 100])
def test_the_same_prompt_again_gives_the_same_text(lane: GenerateLane, length: int) -> None:
    [first] = drain(lane, [greedy(length)])
    [again] = drain(lane, [greedy(length)])
    assert ids_of(again) == ids_of(first)
    assert end_of(first).cached_tokens == 0
    assert end_of(again).cached_tokens == (length - 1) // 16 * 16


def test_a_conversation_that_goes_on_finds_its_answer_in_the_cache(
    lane: GenerateLane, module: Any
) -> None:
    [first] = drain(lane, [greedy(40, max_tokens=30)])
    prompt = (*prompt_of(40), *ids_of(first), 5, 6, 7)
    [second] = drain(lane, [Generation(prompt, 10, GREEDY)])
    assert end_of(second).cached_tokens == 64  # of 40 + 30 - 1 computed tokens: 4 full blocks
    assert ids_of(second) == reference(module, prompt, 10)[0]


def test_a_shared_beginning_is_enough(lane: GenerateLane, module: Any) -> None:
    begin = prompt_of(50)
    works = [Generation((*begin, *prompt_of(20, seed)), 8, GREEDY) for seed in range(1, 5)]
    drain(lane, [works[0]])
    found = drain(lane, works[1:])
    assert [end_of(items).cached_tokens for items in found] == [48, 48, 48]
    for work, items in zip(works[1:], found, strict=True):
        assert ids_of(items) == reference(module, work.prompt, 8)[0]


def test_one_tenant_does_not_find_what_another_asked(lane: GenerateLane) -> None:
    def cached(tenant: str) -> int:
        work = Generation(prompt_of(80), 4, GREEDY, tenant=tenant)
        return end_of(drain(lane, [work])[0]).cached_tokens

    assert [cached(tenant) for tenant in ("a", "b", "a", "b")] == [0, 0, 64, 64]


def test_scores_after_a_known_prefix_are_the_same(lane: GenerateLane) -> None:
    work = Scoring(prompt_of(70), tuple(prompt_of(5, seed) for seed in range(6)))
    [[first]], [[again]] = drain(lane, [work]), drain(lane, [work])
    for one, other in zip(first, again, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_a_score_and_an_answer_share_a_beginning(lane: GenerateLane, module: Any) -> None:
    drain(lane, [Scoring(prompt_of(70), ((5, 6), (7,)))])
    [items] = drain(lane, [greedy(70)])
    assert end_of(items).cached_tokens == 64
    assert ids_of(items) == reference(module, prompt_of(70), 12)[0]


def test_what_is_not_used_gives_way_to_what_is(module: Any) -> None:
    """A cache for 128 tokens sees 20 prompts of 60: nothing is refused, nothing is lost."""
    lane = lane_of(copy.deepcopy(module), kv_bytes=128 * BYTES)
    for seed in range(20):
        prompt = prompt_of(60, seed)
        [items] = drain(lane, [Generation(prompt, 6, GREEDY)])
        assert ids_of(items) == reference(module, prompt, 6)[0]
        lane.check()


# --- too little room ----------------------------------------------------------------------------


def preempting(lane: GenerateLane) -> tuple[GenerateLane, list[int]]:
    """The lane, and a list to which it adds what it takes back."""
    preempted: list[int] = []
    take_back = lane._scheduler.preempt

    def note(sequence: Any) -> None:
        preempted.append(sequence.id)
        take_back(sequence)

    lane._scheduler.preempt = note  # type: ignore[method-assign]
    return lane, preempted


def test_what_is_taken_back_goes_on_as_if_nothing_had_been(module: Any) -> None:
    """8 answers that grow to 70 tokens each, in a cache of 160."""
    tight = lane_of(copy.deepcopy(module), kv_bytes=160 * BYTES, max_step_tokens=32)
    lane, preempted = preempting(tight)
    works = [Generation(prompt_of(10, seed), 60, GREEDY) for seed in range(8)]
    found = run(lane, *works)
    assert preempted, "nothing was taken back: the test tests nothing"
    for work, items in zip(works, found, strict=True):
        assert ids_of(items) == reference(module, work.prompt, 60)[0]
        assert end_of(items).completion_tokens == 60


def test_a_seed_draws_the_same_where_it_is_taken_back(module: Any) -> None:
    works = [
        Generation(prompt_of(10, seed), 50, Sampling(temperature=1.0, seed=seed))
        for seed in range(8)
    ]
    ample = run(lane_of(copy.deepcopy(module)), *works)
    tight = run(lane_of(copy.deepcopy(module), kv_bytes=160 * BYTES), *works)
    assert [ids_of(items) for items in tight] == [ids_of(items) for items in ample]


def test_a_grammar_goes_on_where_it_was_taken_back() -> None:
    """What an answer has matched is no matter of the cache."""
    module = decoder(vocab_size=512)  # the tokenizer has fewer
    grammar = Grammars(byte_level().to_str, frozenset({2})).compile("start: /[a-z]{50}/")
    works = [
        Generation(prompt_of(10, seed), 60, hot, frozenset({2}), grammar=grammar)
        for seed in range(8)
        for hot in [Sampling(temperature=2.0, seed=seed)]
    ]
    ample = run(lane_of(copy.deepcopy(module)), *works)
    tight, preempted = preempting(lane_of(module, kv_bytes=160 * BYTES))
    found = run(tight, *works)
    assert preempted, "nothing was taken back: the test tests nothing"
    assert [ids_of(items) for items in found] == [ids_of(items) for items in ample]
    assert all(end_of(items).reason is Finish.STOP for items in found)


def test_scores_are_the_same_where_they_are_taken_back(module: Any) -> None:
    work = Scoring(prompt_of(40), tuple(prompt_of(9, seed) for seed in range(12)))
    answers = [Generation(prompt_of(10, seed), 60, GREEDY) for seed in range(6)]
    [[[ample]]] = [drain(lane_of(copy.deepcopy(module)), [work])]
    lane = lane_of(copy.deepcopy(module), kv_bytes=176 * BYTES, max_step_tokens=16)
    [[tight], *_] = run(lane, work, *answers)
    for one, other in zip(ample, tight, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_any_arrivals_end_within_the_budget(module: Any, data: st.DataObject) -> None:
    """Random lengths, tenants, arrivals and aborts in a cache that is always too small."""
    lane = lane_of(copy.deepcopy(module), kv_bytes=128 * BYTES, max_step_tokens=16)
    alive: set[int] = set()
    for id in range(data.draw(st.integers(1, 12))):
        length, tokens = data.draw(st.integers(1, 90)), data.draw(st.integers(1, 38))
        tenant = data.draw(st.sampled_from("ab"))
        work = Generation(prompt_of(length, seed=length % 3), tokens, GREEDY, tenant=tenant)
        lane.submit(Job(id, work, 0.0, tenant=tenant))
        alive.add(id)
        for _ in range(data.draw(st.integers(0, 6))):
            if lane.busy:
                alive -= {output.job_id for output in lane.step() if output.done}
                lane.check()
        aborts: bool = data.draw(st.booleans())
        if alive and aborts:
            victim: int = data.draw(st.sampled_from(sorted(alive)))
            lane.abort(victim)
            alive.remove(victim)
            lane.check()
    for _ in range(5000):
        if not lane.busy:
            break
        alive -= {output.job_id for output in lane.step() if output.done}
    assert not alive, "work that never ends"
    lane.check()
    assert lane._scheduler.blocks.available == lane._scheduler.blocks.capacity == 8


# --- guesses ------------------------------------------------------------------------------------

LOOP = (11, 12, 13, 14, 15, 16, 17) * 6
"""Random models fall into loops by themselves; this one is there from the start."""


def steps_of(lane: GenerateLane, work: Generation) -> tuple[list[Any], int]:
    lane.submit(Job(0, work, 0.0))
    items: list[Any] = []
    steps = 0
    while lane.busy:
        [output] = lane.step()
        assert output.problem is None
        items += output.items
        steps += 1
    lane.check()
    return items, steps


def looping() -> Any:
    """A model whose answers repeat themselves: attention to the past, and little else."""
    return decoder(seed=3, num_hidden_layers=1, initializer_range=0.05)


def test_guesses_spare_steps_and_change_nothing() -> None:
    module = looping()
    work = Generation(LOOP, 64, GREEDY)
    items, steps = steps_of(lane_of(copy.deepcopy(module)), work)
    assert ids_of(items) == reference(module, LOOP, 64)[0]
    assert steps < 50, "no guess was right: the test tests nothing"
    assert end_of(items).completion_tokens == 64


@pytest.mark.parametrize("sampling", [GREEDY, Sampling(temperature=0.7, top_p=0.9, seed=5)])
def test_what_is_drawn_does_not_depend_on_guesses(
    sampling: Sampling, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = looping()
    penalized = Sampling(**{**_fields(sampling), "repetition_penalty": 1.1})
    for chosen in (sampling, penalized):
        work = Generation(LOOP, 48, chosen, top_logprobs=2)
        guessed, steps = steps_of(lane_of(copy.deepcopy(module)), work)
        with monkeypatch.context() as patch:
            patch.setattr("llmaas_server.runtime.scheduler.VERIFIED", 0)
            plain, most = steps_of(lane_of(copy.deepcopy(module)), work)
        assert steps <= most
        assert ids_of(guessed) == ids_of(plain)
        for one, other in zip(guessed, plain, strict=True):
            if isinstance(one, Token):
                assert one.logprob == pytest.approx(other.logprob, abs=1e-4)


def test_a_stop_token_within_a_guess_ends_the_answer() -> None:
    module = looping()
    ids = reference(module, LOOP, 64)[0]
    for stop in sorted(set(ids))[:5]:
        work = Generation(LOOP, 64, GREEDY, stop_ids=frozenset({stop}))
        items, _ = steps_of(lane_of(copy.deepcopy(module)), work)
        assert ids_of(items) == ids[: ids.index(stop)]


def test_guesses_among_others_change_nothing(module: Any) -> None:
    works = [Generation(LOOP[seed:], 40, GREEDY) for seed in range(6)]
    works += [greedy(length, max_tokens=40) for length in (3, 30, 60)]
    found = run(lane_of(copy.deepcopy(module), kv_bytes=400 * BYTES, max_step_tokens=24), *works)
    for work, items in zip(works, found, strict=True):
        assert ids_of(items) == reference(module, work.prompt, 40)[0]


def _fields(sampling: Sampling) -> dict[str, Any]:
    return {name: getattr(sampling, name) for name in Sampling.__dataclass_fields__}
