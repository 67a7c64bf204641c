"""Calls of an observed backend are counted once, by how they ended."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem
from llmaas_server.gateway.metrics import Metrics
from llmaas_server.gateway.observed import Observed
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Accepted, Call, Event, Result
from support.backends import chat, complete, started


class Ends(FakeBackend):
    """Ends every call with an error, or in the middle."""

    error: Exception

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event]:
        await self.release(call_id)
        yield Accepted(1, "fake")
        raise self.error


def count(metrics: Metrics, call: Call, outcome: str) -> bool:
    labels = f'model="{call.model.name}",outcome="{outcome}",task="{call.task}"'
    return f"llmaas_calls_total{{{labels}}} 1.0" in metrics.render().decode()


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
