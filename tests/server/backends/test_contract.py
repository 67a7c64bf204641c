"""What every backend promises, held by each of them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from typing import Any

import pytest

from llmaas_client.wire import TASKS
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Backend, Tally
from llmaas_server.seam.values import Accepted, Call, Delta, ModelRef, Result
from support.backends import (
    EMBEDDER,
    MODEL,
    Team,
    chat,
    complete,
    eventually,
    scripted_worker,
    until_delta,
)
from support.worker_runtime import CONTEXT

TEXT = "One fox runs. Two dogs sleep. Three cats wait."


async def pace(call: Call) -> None:
    """Like the scripted worker: a prompt that begins with `stuck` never gets on."""
    await asyncio.sleep(0)
    if call.task == "chat" and call.request["messages"][-1]["content"].startswith("stuck"):
        await asyncio.Event().wait()


BACKENDS: dict[str, Callable[[], Backend]] = {
    "fake": lambda: FakeBackend(context=CONTEXT, pace=pace),
    "worker": scripted_worker,
    "replicas": lambda: Team().replicas(2),
}


@pytest.fixture(params=BACKENDS)
async def backend(request: pytest.FixtureRequest) -> AsyncIterator[Backend]:
    backend = BACKENDS[request.param]()
    await backend.start()
    yield backend
    await backend.stop(0)


REQUESTS: list[tuple[str, ModelRef, dict[str, Any]]] = [
    ("chat", MODEL, {"messages": [{"role": "user", "content": "Say this."}]}),
    ("classify", EMBEDDER, {"text": ["a happy dog", "rain"], "labels": ["happy", "sad"]}),
    ("summarize", EMBEDDER, {"text": TEXT, "length": "short"}),
    ("embed", EMBEDDER, {"text": ["one", "two"]}),
]


@pytest.mark.parametrize(("task", "model", "request_"), REQUESTS, ids=[row[0] for row in REQUESTS])
async def test_every_task_gives_a_result_of_the_wire(
    backend: Backend, task: str, model: ModelRef, request_: dict[str, Any]
) -> None:
    call = Call("c1", task, model, request_)
    measurement = await backend.measure(call)
    events = [event async for event in backend.run("c1")]
    accepted, result = events[0], events[-1]
    assert isinstance(accepted, Accepted)
    assert isinstance(result, Result)
    assert accepted.prompt_tokens == measurement.prompt_tokens > 0
    assert result.usage.completion_tokens <= measurement.max_completion_tokens
    assert not [event for event in events if isinstance(event, Delta)], "nobody asked to stream"
    envelope = {"id": "c1", "model": accepted.model, "usage": {}, "timing": {}}
    TASKS[task].result.model_validate({**result.body, **envelope})


async def test_deltas_join_to_the_answer(backend: Backend) -> None:
    events = await complete(backend, chat("The words of the message"))
    deltas = [event for event in events if isinstance(event, Delta)]
    result = events[-1]
    assert isinstance(result, Result)
    assert len(deltas) > 1
    assert "".join(delta.text for delta in deltas) == result.body["message"]["content"]
    assert result.usage.completion_tokens == len(deltas)


async def test_calls_run_beside_each_other(backend: Backend) -> None:
    await backend.measure(chat("stuck", id="stuck"))
    async with aclosing(backend.run("stuck")) as stuck:
        assert isinstance(await anext(stuck), Accepted)
        calls = [chat(f"call number {number}", id=f"c{number}") for number in range(20)]
        all_events = await asyncio.gather(*(complete(backend, call) for call in calls))
        answers = [events[-1] for events in all_events]
        texts = [end.body["message"]["content"] for end in answers if isinstance(end, Result)]
        assert texts == [f"call number {number}" for number in range(20)]
        assert backend.status().running == 1
    assert backend.status().running == 0


REFUSED: list[tuple[Call, str]] = [
    (Call("c1", "translate", MODEL, {}), "not_found"),
    (Call("c1", "chat", MODEL, {"messages": []}), "invalid_request"),
    (Call("c1", "embed", EMBEDDER, {"text": " "}), "empty_text"),
    (Call("c1", "embed", EMBEDDER, {"text": "x", "colour": 1}), "unknown_field"),
    (chat("word " * CONTEXT), "context_overflow"),
    (chat("hello", max_tokens=CONTEXT), "context_overflow"),
    (chat("hello", deadline_ms=0.0), "deadline_exceeded"),
]


async def test_what_cannot_run_is_refused_when_measured(backend: Backend) -> None:
    for call, code in REFUSED:
        with pytest.raises(Problem) as caught:
            await backend.measure(call)
        assert caught.value.code == code
        assert backend.status().running == 0
    assert await complete(backend, chat("still here"))


async def test_context_overflow_has_both_numbers(backend: Backend) -> None:
    with pytest.raises(Problem, match=rf"\d+ tokens.*{CONTEXT}"):
        await backend.measure(chat("word " * CONTEXT))


async def test_an_id_names_one_call_at_a_time(backend: Backend) -> None:
    await backend.measure(chat("first"))
    with pytest.raises(Problem) as caught:
        await backend.measure(chat("second"))
    assert caught.value.code == "conflict"
    events = [event async for event in backend.run("c1")]
    assert isinstance(events[-1], Result)
    assert await complete(backend, chat("third"))


async def test_a_result_says_what_was_used(backend: Backend) -> None:
    tally = Tally()
    measurement = await backend.measure(chat("three small words"))
    events = [event async for event in backend.run("c1", tally)]
    result = events[-1]
    assert isinstance(result, Result)
    assert (tally.usage, tally.times) == (result.usage, result.times)
    assert tally.usage.prompt_tokens == measurement.prompt_tokens


async def test_a_run_that_is_closed_says_what_was_used(backend: Backend) -> None:
    tally = Tally()
    measurement = await backend.measure(chat("endless words that never end"))
    run = backend.run("c1", tally)
    await until_delta(run)
    await until_delta(run)
    await run.aclose()
    assert tally.usage.prompt_tokens == measurement.prompt_tokens
    assert 2 <= tally.usage.completion_tokens <= measurement.max_completion_tokens
    assert backend.status().running == 0


async def test_a_call_runs_once(backend: Backend) -> None:
    await complete(backend, chat("once"))
    with pytest.raises(Problem, match="not measured"):
        await anext(backend.run("c1"))


async def test_a_released_call_does_not_run(backend: Backend) -> None:
    await backend.measure(chat("never"))
    assert backend.status().running == 1
    await backend.release("c1")
    await backend.release("c1")
    assert backend.status().running == 0
    with pytest.raises(Problem, match="not measured"):
        await anext(backend.run("c1"))


async def test_a_closed_run_is_over(backend: Backend) -> None:
    await backend.measure(chat("some words to stream"))
    run = backend.run("c1")
    await until_delta(run)
    await run.aclose()
    assert backend.status().running == 0
    assert await complete(backend, chat("again, with the same id"))


async def test_a_cancelled_reader_ends_the_call(backend: Backend) -> None:
    reader = asyncio.create_task(complete(backend, chat("stuck")))
    await eventually(lambda: backend.status().running == 1)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    assert backend.status().running == 0


async def test_the_deadline_ends_a_run(backend: Backend) -> None:
    await complete(backend, chat("first of all, the worker is ready", id="c0"))
    await backend.measure(chat("stuck", deadline_ms=300.0))
    run = backend.run("c1")
    assert isinstance(await anext(run), Accepted)
    with pytest.raises(Problem) as caught:
        await anext(run)
    assert caught.value.code == "deadline_exceeded"
    assert backend.status().running == 0


def resident(backend: Backend) -> set[str]:
    return {model.name for model in backend.status().models if model.state == "resident"}


async def test_models_come_and_go(backend: Backend) -> None:
    await backend.load(EMBEDDER)
    await eventually(lambda: EMBEDDER.name in resident(backend))
    await backend.unload(EMBEDDER.name)
    await eventually(lambda: EMBEDDER.name not in resident(backend))
    await backend.unload("never seen")
    await complete(backend, chat("loads what it needs"))
    await eventually(lambda: MODEL.name in resident(backend))


async def test_what_is_ready_runs_calls_at_once(backend: Backend) -> None:
    await asyncio.wait_for(backend.ready(), 20)
    assert backend.status().ready
    await backend.stop(0)
    with pytest.raises(Problem) as caught:
        await backend.ready()
    assert caught.value.code == "shutting_down"


async def test_stop_lets_calls_end(backend: Backend) -> None:
    await backend.measure(chat("a call that ends by itself"))
    run = backend.run("c1")
    await until_delta(run)
    stopping = asyncio.create_task(backend.stop(30.0))
    await eventually(lambda: not backend.status().ready)
    events = [event async for event in run]
    assert isinstance(events[-1], Result)
    await stopping


async def test_stop_ends_what_does_not_end(backend: Backend) -> None:
    await backend.measure(chat("stuck"))
    run = backend.run("c1")
    assert isinstance(await anext(run), Accepted)
    waiting = asyncio.create_task(anext(run))
    await backend.stop(0.05)
    with pytest.raises(Problem) as caught:
        await waiting
    assert caught.value.code == "shutting_down"


async def test_stop_right_after_start_leaves_nothing(backend: Backend) -> None:
    await backend.stop(0)
    gc.collect()  # A process or socket that nobody owns would warn now, and fail the test.


async def test_nothing_starts_after_stop(backend: Backend) -> None:
    await backend.stop(0)
    await backend.stop(0)
    assert not backend.status().ready
    with pytest.raises(Problem) as caught:
        await backend.measure(chat("too late"))
    assert caught.value.code == "shutting_down"
