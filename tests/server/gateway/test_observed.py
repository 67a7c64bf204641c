"""Calls of an observed backend are counted once, by how they ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import msgspec
import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem
from llmaas_server.gateway.metrics import Metrics
from llmaas_server.gateway.observed import Observed
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Accepted, Call, Event, Result, Timing
from support.backends import EMBEDDER, chat, complete, started


class Ends(FakeBackend):
    """Ends every call with an error, or in the middle."""

    error: Exception

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event]:
        await self.release(call_id)
        yield Accepted(1, "fake")
        raise self.error


def count(metrics: Metrics, call: Call, outcome: str) -> bool:
    labels = f'model="{call.model.name}",outcome="{outcome}",task="{call.task}"'
    return f"llmaas_calls_total{{{labels}}} 1.0" in metrics.render()[0].decode()


@pytest.mark.parametrize(
    ("tokens", "seconds"),
    [(0, None), (1, None), (2, 0.5), (6, 0.1)],
    ids=["none", "the first alone", "one after it", "five after it"],
)
def test_the_time_of_a_token_is_of_those_after_the_first(
    tokens: int, seconds: float | None
) -> None:
    metrics = Metrics("1.2.3")
    metrics.called(chat("one"), "ok", Tally())
    metrics.timed(chat("one"), Timing(decode_ms=500.0), tokens)
    (figures,) = metrics.by_task()
    assert figures.token_ms == (None if seconds is None else pytest.approx(1000 * seconds))


def test_means_are_over_all_models() -> None:
    metrics = Metrics("1.2.3")
    other = msgspec.structs.replace(chat("one"), model=EMBEDDER)
    for call, queue_ms in ((chat("one"), 10.0), (chat("one"), 20.0), (other, 60.0)):
        metrics.called(call, "ok", Tally())
        metrics.timed(call, Timing(queue_ms=queue_ms), 0)
    (figures,) = metrics.by_task()
    assert figures.calls == 3
    assert figures.queue_ms == pytest.approx(30.0)


async def test_a_call_that_went_well() -> None:
    metrics = Metrics("1.2.3")
    async with started(Observed(FakeBackend(), metrics)) as backend:
        events = await complete(backend, chat("one two"))
    assert isinstance(events[-1], Result)
    assert count(metrics, chat("one two"), "ok")


@pytest.mark.parametrize(
    ("error", "outcome"),
    [(Problem("worker_lost"), "worker_lost"), (ValueError("accident"), "internal_error")],
)
async def test_a_call_that_failed(error: Exception, outcome: str) -> None:
    metrics, inner = Metrics("1.2.3"), Ends()
    inner.error = error
    async with started(Observed(inner, metrics)) as backend:
        with pytest.raises(type(error)):
            await complete(backend, chat("one"))
    assert count(metrics, chat("one"), outcome)


async def test_a_call_that_was_left() -> None:
    metrics = Metrics("1.2.3")
    async with started(Observed(FakeBackend(), metrics)) as backend:
        call = chat("one two three")
        await backend.measure(call)
        events = backend.run(call.id)
        await anext(events)
        await events.aclose()
    assert count(metrics, call, "cancelled")
