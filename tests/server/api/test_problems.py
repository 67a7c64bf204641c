"""What nobody expected: a typed error for the caller, and a log without the user's text."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path

import httpx
import pytest
from starlette.exceptions import HTTPException

from llmaas_client.wire.errors import ERRORS, ErrorBody
from llmaas_client.wire.sse import Decoder
from llmaas_server.api.problems import body_of, respond
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Accepted, Call, Event, Measurement
from llmaas_server.settings import Settings
from support.front import Front, front

PRIVATE = "my private text"
CHAT = {"messages": [{"role": "user", "content": PRIVATE}]}


class Faulty(FakeBackend):
    """Fails in a way of its own, with the user's text in the exception."""

    def __init__(self, where: str) -> None:
        super().__init__()
        self._where = where

    async def measure(self, call: Call) -> Measurement:
        if self._where == "measure":
            raise KeyError(PRIVATE)
        return await super().measure(call)

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        await self.release(call_id)
        if self._where == "wrong start":
            return
        yield Accepted(1, "fake")
        if self._where == "run":
            raise KeyError(PRIVATE)


@pytest.fixture(params=["measure", "wrong start", "run", "no result"])
def faulty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    settings = Settings(home=tmp_path, backend="fake")
    with front(settings, Faulty(request.param)) as running:
        yield running


@pytest.mark.parametrize("stream", [False, True])
def test_mistake_of_the_server(
    faulty: Front, stream: bool, caplog: pytest.LogCaptureFixture
) -> None:
    response = faulty.http.post("/v1/tasks/chat", json={**CHAT, "stream": stream})
    if response.status_code == httpx.codes.OK:
        last = list(Decoder().feed(response.content))[-1]
        assert last.event == "error"
        content = last.data.encode()
    else:
        assert response.status_code == ERRORS["internal_error"].status
        content = response.content
    error = ErrorBody.model_validate_json(content).error
    assert error.code == "internal_error"
    assert error.request_id == response.headers["x-request-id"]
    logged = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert error.request_id is not None
    assert error.request_id in logged[0]
    assert "calls.py" in logged[0] or "tasks.py" in logged[0]
    assert PRIVATE not in caplog.text
    assert PRIVATE.encode() not in response.content


def test_retry_after_is_rounded_up() -> None:
    body = body_of(Problem("overloaded", retry_after=0.2), "req_1")
    assert body.error.retry_after == 0.2
    assert respond(body).headers["retry-after"] == "1"


def test_other_exceptions_of_the_router() -> None:
    error = body_of(HTTPException(ERRORS["invalid_json"].status, "odd"), "req_1").error
    assert (error.code, error.message, error.request_id) == ("invalid_request", "odd", "req_1")
