"""Several workers under one front: load, affinity, loss, and workers that come and go."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing

import pytest

from llmaas_server.backends.choice import AFFINITY_SLACK
from llmaas_server.backends.replicas import Replicas, merge
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Accepted, Delta, Event, ModelStatus, Result, WorkerStatus
from support.backends import (
    EMBEDDER,
    MODEL,
    Team,
    answer,
    chat,
    complete,
    eventually,
    started,
    until_delta,
)


@pytest.fixture
def team() -> Team:
    return Team()


@pytest.fixture
async def backend(team: Team) -> AsyncIterator[Replicas]:
    """Two workers, both ready."""
    async with started(team.replicas()) as backend:
        await eventually(lambda: states(backend) == ["ready", "ready"])
        yield backend


def states(backend: Replicas) -> list[str]:
    return [worker.state for worker in backend.workers()]


def running(backend: Replicas) -> dict[str, int]:
    return {worker.name: worker.running for worker in backend.workers()}


def worker(backend: Replicas, name: str) -> WorkerStatus:
    return next(one for one in backend.workers() if one.name == name)


async def stream(backend: Replicas, id: str, text: str = "") -> AsyncGenerator[Event, None]:
    """An endless call that streams; distinct ids begin differently."""
    await backend.measure(chat(f"endless {text or id}", id=id, max_tokens=150))
    run = backend.run(id)
    await until_delta(run)
    return run


async def rest(run: AsyncGenerator[Event, None]) -> Event:
    """The last event."""
    last = None
    async for event in run:
        last = event
    assert last is not None
    return last


async def test_calls_go_to_the_least_loaded(backend: Replicas) -> None:
    for number in range(6):
        await backend.measure(chat(f"call {number}", id=f"c{number}"))
    assert running(backend) == {"worker-1": 3, "worker-2": 3}
    for number in (0, 2, 4):
        await backend.release(f"c{number}")
    assert running(backend) == {"worker-1": 0, "worker-2": 3}
    await backend.measure(chat("the next", id="next"))
    assert running(backend) == {"worker-1": 1, "worker-2": 3}
    assert backend.status().running == 4


async def test_of_idle_workers_the_one_with_the_model(team: Team, backend: Replicas) -> None:
    await team.workers[1].load(MODEL)
    await eventually(lambda: MODEL.name in [one.name for one in team.workers[1].status().models])
    await backend.measure(chat("hello"))
    assert running(backend) == {"worker-1": 0, "worker-2": 1}


async def test_a_conversation_stays_with_its_worker_until_that_is_busy(backend: Replicas) -> None:
    await backend.measure(chat("another", id="other"))
    await complete(backend, chat("my conversation", id="turn"))
    await backend.release("other")

    for number in range(AFFINITY_SLACK + 1):
        await backend.measure(chat("my conversation", id=f"turn {number}"))
        assert running(backend) == {"worker-1": 0, "worker-2": number + 1}
    await backend.measure(chat("my conversation", id="one too many"))
    assert running(backend) == {"worker-1": 1, "worker-2": AFFINITY_SLACK + 1}


async def test_a_killed_worker_takes_nobody_along(team: Team, backend: Replicas) -> None:
    lost, kept = await stream(backend, "lost"), await stream(backend, "kept")
    assert running(backend) == {"worker-1": 1, "worker-2": 1}
    os.kill(team.workers[0].pid or 0, signal.SIGKILL)
    with pytest.raises(Problem) as caught:
        await rest(lost)
    assert caught.value.code == "worker_lost"

    assert backend.status().ready
    assert await answer(backend, chat("at once", id="c1")) == "at once"
    assert isinstance(await rest(kept), Result)
    await eventually(lambda: states(backend) == ["ready", "ready"])
    assert [one.restarts for one in backend.workers()] == [1, 0]
    assert backend.status().restarts == 1
    assert backend.status().running == 0


@pytest.mark.parametrize("runtime", ["create_never", "crash"])
async def test_a_worker_that_does_not_get_ready_is_left_alone(runtime: str) -> None:
    async with started(Team([runtime]).replicas()) as backend:
        await eventually(lambda: backend.status().ready)
        calls = [chat(f"call {number}", id=f"c{number}") for number in range(4)]
        assert await asyncio.gather(*(answer(backend, call) for call in calls)) == [
            f"call {number}" for number in range(4)
        ]
        assert states(backend) == ["starting", "ready"]
        assert "worker-1: " in backend.status().detail


async def test_an_added_worker_takes_calls(team: Team, backend: Replicas) -> None:
    first = [await stream(backend, f"c{number}") for number in range(2)]
    added = await backend.add("cpu")
    assert (added.name, added.device, added.state) == ("worker-3", "cpu", "starting")
    await eventually(lambda: worker(backend, "worker-3").state == "ready")
    third = await stream(backend, "c2")
    assert running(backend) == {"worker-1": 1, "worker-2": 1, "worker-3": 1}
    assert team.workers[2].status().running == 1
    for run in (*first, third):
        assert isinstance(await rest(run), Result)


async def test_a_drained_worker_ends_with_its_last_call(team: Team, backend: Replicas) -> None:
    run = await stream(backend, "c1")
    pid = team.workers[0].pid
    assert pid is not None
    assert backend.drain("worker-1").state == "draining"
    assert backend.drain("worker-1").running == 1, "draining twice is no error"

    for number in range(3):
        await backend.measure(chat("endless c1", id=f"n{number}"))
    assert running(backend) == {"worker-1": 1, "worker-2": 3}
    assert isinstance(await rest(run), Result), "its call ends by itself"
    await eventually(lambda: list(running(backend)) == ["worker-2"])
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert backend.status().running == 3
    with pytest.raises(Problem, match=r"'worker-1'; there are: worker-2") as caught:
        backend.drain("worker-1")
    assert caught.value.code == "not_found"


async def test_a_measured_call_may_still_run_on_a_draining_worker(backend: Replicas) -> None:
    await backend.measure(chat("measured before", id="c1"))
    backend.drain("worker-1")
    events = [event async for event in backend.run("c1")]
    assert isinstance(events[0], Accepted)
    assert isinstance(events[-1], Result)
    await eventually(lambda: list(running(backend)) == ["worker-2"])


async def test_an_idle_worker_is_drained_at_once(backend: Replicas) -> None:
    backend.drain("worker-2")
    await eventually(lambda: list(running(backend)) == ["worker-1"])
    assert await answer(backend, chat("still here")) == "still here"


async def test_the_last_worker_stays(backend: Replicas) -> None:
    backend.drain("worker-1")
    with pytest.raises(Problem, match="the last worker") as caught:
        backend.drain("worker-2")
    assert caught.value.code == "conflict"
    await backend.add("cpu")
    backend.drain("worker-2")
    assert await answer(backend, chat("moved on")) == "moved on"


async def test_stop_ends_a_worker_that_drains(team: Team, backend: Replicas) -> None:
    run = await stream(backend, "c1", "stuck")
    backend.drain("worker-1")
    pid = team.workers[0].pid
    assert pid is not None
    await backend.stop(0)
    with pytest.raises(Problem) as caught:
        await rest(run)
    assert caught.value.code == "shutting_down"
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(Problem) as refused:
        await backend.add("cpu")
    assert refused.value.code == "shutting_down"


async def test_models_are_loaded_everywhere(backend: Replicas) -> None:
    def replicas() -> dict[str, int]:
        return {model.name: model.replicas for model in backend.status().models}

    await backend.load(EMBEDDER)
    await eventually(lambda: replicas().get(EMBEDDER.name) == 2)
    await backend.unload(EMBEDDER.name)
    await eventually(lambda: EMBEDDER.name not in replicas())


async def test_many_streams_on_two_workers(backend: Replicas) -> None:
    async with AsyncExitStack() as stack:
        runs = [
            await stack.enter_async_context(aclosing(await stream(backend, f"c{number}")))
            for number in range(8)
        ]
        assert sorted(running(backend).values()) == [4, 4]
        await runs[0].aclose()
        texts = [
            "".join([event.text async for event in run if isinstance(event, Delta)])
            for run in runs[1:]
        ]
        assert all(len(text) == 149 for text in texts), "the first was read before"
    assert backend.status().running == 0


async def test_those_that_are_added_get_a_share_of_their_own(team: Team) -> None:
    async with started(team.replicas(2)) as backend:
        await backend.add("cpu")
        await backend.add("cpu", threads=1)
        assert [share.threads for share in team.shares] == [4, 4, 2, 1]
        assert [one.threads for one in backend.workers()] == [4, 4, 2, 1]


async def test_one_worker_is_enough_to_be_ready() -> None:
    async with started(Team(runtimes=["create_never"]).replicas()) as backend:
        await asyncio.wait_for(backend.ready(), 20)
        assert states(backend) == ["starting", "ready"]


async def test_workers_that_all_end_are_told() -> None:
    async with started(Team(runtimes=["create_refused"] * 2).replicas()) as backend:
        with pytest.raises(Problem, match="in a row") as caught:
            await asyncio.wait_for(backend.ready(), 20)
        assert caught.value.code == "starting"


def test_merge() -> None:
    loading, resident = ModelStatus("a", "loading", 0.5, 50), ModelStatus("a", "resident", 1.0, 100)
    other = ModelStatus("b", "loading", 0.1, 1)
    later = ModelStatus("b", "loading", 0.4, 2)
    assert merge([loading, other, resident, later, resident]) == [
        ModelStatus("a", "resident", 1.0, 250, replicas=2),
        ModelStatus("b", "loading", 0.4, 3, replicas=2),
    ]


def decoded(backend: Replicas) -> int:
    return sum(work.decode_tokens for work in backend.status().work)


async def test_what_was_done_is_not_forgotten(team: Team, backend: Replicas) -> None:
    """With whoever did it gone: killed, or drained."""
    first, second = await asyncio.gather(
        answer(backend, chat("a" * 20, id="1")), answer(backend, chat("b" * 30, id="2"))
    )
    whole = len(first) + len(second)
    await eventually(lambda: decoded(backend) == whole)
    os.kill(team.workers[0].pid or 0, signal.SIGKILL)
    await eventually(lambda: backend.status().restarts == 1)
    assert decoded(backend) == whole
    await eventually(lambda: states(backend) == ["ready", "ready"])
    assert decoded(backend) == whole
    backend.drain("worker-2")
    await eventually(lambda: list(running(backend)) == ["worker-1"])
    assert decoded(backend) == whole
    await answer(backend, chat("c" * 10, id="3"))
    await eventually(lambda: decoded(backend) == whole + 10)
