from __future__ import annotations

import itertools

import pytest

from llmaas_server.runtime.blocks import Blocks
from llmaas_server.runtime.request import Generation
from llmaas_server.runtime.scheduler import Scheduler
from llmaas_server.runtime.sequence import Chunk, GenerateSequence

NEW = itertools.count(1000)
"""Tokens that no prompt and no other answer has."""


def sequence(id: int, prompt: int, max_tokens: int = 4, tenant: str = "") -> GenerateSequence:
    work = Generation(tuple(itertools.islice(NEW, prompt)), max_tokens, tenant=tenant)
    return GenerateSequence(id, work, seed=0, submitted=0.0)


def run(scheduler: Scheduler) -> list[tuple[int, int, int]]:
    """One step without arithmetic: who ran, from where to where."""
    chunks = scheduler.schedule(now=1.0)
    for chunk in chunks:
        take(scheduler, chunk)
    return [(chunk.sequence.id, chunk.start, chunk.stop) for chunk in chunks]


def take(scheduler: Scheduler, chunk: Chunk) -> None:
    """As the lane does where no draft is right."""
    running = chunk.sequence
    assert isinstance(running, GenerateSequence)
    drafted = max(0, len(chunk.wanted) - 1)
    answers = bool(chunk.wanted)
    running.computed = chunk.stop - drafted
    running.settle(drafted, 0)
    if answers and running.append(next(NEW), now=2.0) is not None:
        scheduler.drop(running.id)


def test_a_prompt_is_read_in_chunks_and_then_generates() -> None:
    scheduler = Scheduler(Blocks(100, 1), max_sequences=4, max_step_tokens=8)
    scheduler.add(sequence(0, prompt=19, max_tokens=3))
    steps = [run(scheduler) for _ in range(5)]
    assert steps == [[(0, 0, 8)], [(0, 8, 16)], [(0, 16, 19)], [(0, 19, 20)], [(0, 20, 21)]]
    assert not scheduler.busy
    scheduler.check()


def test_a_long_prompt_leaves_running_sequences_a_token_in_every_step() -> None:
    scheduler = Scheduler(Blocks(1000, 1), max_sequences=4, max_step_tokens=8)
    scheduler.add(sequence(0, prompt=2, max_tokens=20))
    run(scheduler)
    scheduler.add(sequence(1, prompt=50))
    for _ in range(7):
        ran = run(scheduler)
        assert ran[0][0] == 0
        assert ran[1][0] == 1
        assert sum(stop - start for _, start, stop in ran) == 8


def test_prompts_share_a_step_the_oldest_first() -> None:
    scheduler = Scheduler(Blocks(100, 1), max_sequences=4, max_step_tokens=8)
    for id, prompt in enumerate((3, 4, 9)):
        scheduler.add(sequence(id, prompt))
    assert run(scheduler) == [(0, 0, 3), (1, 0, 4), (2, 0, 1)]


def test_sequences_wait_in_order_until_their_prompts_fit() -> None:
    scheduler = Scheduler(Blocks(20, 1), max_sequences=8, max_step_tokens=64)
    scheduler.add(sequence(0, prompt=10, max_tokens=2, tenant="a"))
    scheduler.add(sequence(1, prompt=15, max_tokens=2, tenant="a"))
    scheduler.add(sequence(2, prompt=2, max_tokens=2, tenant="a"))  # fits, and does not overtake
    assert run(scheduler) == [(0, 0, 10)]
    assert run(scheduler) == [(0, 10, 11)]
    assert [id for id, _, stop in run(scheduler)] == [1, 2]


def test_no_more_sequences_run_than_are_allowed() -> None:
    scheduler = Scheduler(Blocks(1000, 1), max_sequences=2, max_step_tokens=64)
    for id in range(3):
        scheduler.add(sequence(id, prompt=2))
    assert [id for id, _, _ in run(scheduler)] == [0, 1]


def test_half_a_step_is_left_to_prompts() -> None:
    assert Scheduler(Blocks(9, 1), max_sequences=64, max_step_tokens=16).max_sequences == 8
    assert Scheduler(Blocks(9, 1), max_sequences=64, max_step_tokens=1).max_sequences == 1


@pytest.mark.parametrize(("prompt", "max_tokens", "fits"), [(10, 11, True), (10, 12, False)])
def test_a_sequence_that_can_never_fit_is_known(prompt: int, max_tokens: int, fits: bool) -> None:
    scheduler = Scheduler(Blocks(20, 1), max_sequences=4, max_step_tokens=8)
    assert scheduler.can_add(sequence(0, prompt, max_tokens)) is fits


def test_dropping_gives_blocks_back_to_those_that_wait() -> None:
    scheduler = Scheduler(Blocks(20, 1), max_sequences=4, max_step_tokens=8)
    for id in range(3):
        scheduler.add(sequence(id, prompt=15))
    run(scheduler)
    scheduler.drop(1)  # waits
    scheduler.drop(0)  # runs
    scheduler.drop(0)
    assert [id for id, _, _ in run(scheduler)] == [2]
    scheduler.drop(2)
    assert not scheduler.busy
    scheduler.check()


def test_check_sees_a_sequence_that_kept_its_blocks() -> None:
    scheduler = Scheduler(Blocks(20, 1), max_sequences=4, max_step_tokens=8)
    scheduler.add(sequence(0, prompt=5))
    run(scheduler)
    scheduler._running.clear()
    with pytest.raises(AssertionError, match="held wrongly"):
        scheduler.check()


def serve(streams: dict[str, int], steps: int, **sizes: int) -> dict[str, int]:
    """Tokens that each tenant got, where each keeps so many streams going."""
    sizes = {"max_sequences": 64, "max_step_tokens": 64, **sizes}
    scheduler = Scheduler(Blocks(100_000, 1), sizes["max_sequences"], sizes["max_step_tokens"])
    tenants: dict[int, str] = {}
    tokens = dict.fromkeys(streams, 0)
    for _ in range(steps):
        for tenant, count in streams.items():
            for _ in range(count - list(tenants.values()).count(tenant)):
                id = len(tokens) + len(tenants) + sum(tokens.values()) * 1000
                while id in tenants:
                    id += 1
                tenants[id] = tenant
                scheduler.add(sequence(id, prompt=10, max_tokens=30, tenant=tenant))
        chunks = scheduler.schedule(now=1.0)
        for chunk in chunks:
            tokens[chunk.sequence.tenant] += chunk.size
            take(scheduler, chunk)
        running = {s.id for s in (*scheduler._running.values(), *scheduler.waiting())}
        tenants = {id: tenant for id, tenant in tenants.items() if id in running}
    return tokens


def jain(shares: list[int]) -> float:
    """Jain's index: 1 where all shares are equal, 1 / n where one has everything."""
    return sum(shares) ** 2 / (len(shares) * sum(share**2 for share in shares))


@pytest.mark.parametrize(
    "streams", [{"a": 12, "b": 4}, {"a": 40, "b": 1}, {"a": 3, "b": 9, "c": 30}]
)
def test_tenants_get_equal_shares_whatever_their_streams(streams: dict[str, int]) -> None:
    assert jain(list(serve(streams, steps=600).values())) > 0.98


def test_a_tenant_alone_gets_everything() -> None:
    alone = serve({"a": 12}, steps=100)["a"]
    assert alone > 11 * 100


def test_one_that_waits_for_blocks_holds_nobody_up() -> None:
    scheduler = Scheduler(Blocks(100, 1), max_sequences=8, max_step_tokens=16)
    scheduler.add(sequence(0, prompt=60, max_tokens=30, tenant="a"))
    for _ in range(4):
        run(scheduler)
    scheduler.add(sequence(1, prompt=50, max_tokens=40, tenant="b"))  # no room before 0 has ended
    for _ in range(29):
        assert [id for id, _, _ in run(scheduler)] == [0]
    assert [id for id, _, _ in run(scheduler)] == [1]


def test_coming_back_saves_up_nothing() -> None:
    scheduler = Scheduler(Blocks(10_000, 1), max_sequences=8, max_step_tokens=16)
    scheduler.add(sequence(0, prompt=1, max_tokens=500, tenant="a"))
    for _ in range(300):
        run(scheduler)
    scheduler.add(sequence(1, prompt=1, max_tokens=500, tenant="b"))
    ran = [{id for id, _, _ in run(scheduler)} for _ in range(50)]
    assert all(step == {0, 1} for step in ran)
