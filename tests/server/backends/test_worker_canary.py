"""The worker's own words go to the server's stderr: none of them are a user's, whatever happens."""

from __future__ import annotations

import json
import logging

import pytest

from llmaas_server.errors import Problem
from llmaas_server.seam.values import WorkerOptions
from support.backends import answer, chat, scripted_worker, started

CANARY = "zyzzyva-9050"


async def test_nothing_of_a_text_is_on_stderr(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with started(scripted_worker()) as backend:
        assert CANARY in await answer(backend, chat(f"echo {CANARY}"))
        for number, word in enumerate(("boom", "die", "fail")):  # in a call, of the process, of all
            with pytest.raises(Problem) as raised:
                await answer(backend, chat(f"{word} {CANARY}", id=f"bad{number}"))
            assert CANARY not in raised.value.message
            await backend.ready()
    said = "".join(capfd.readouterr())
    assert "ValueError" in said  # the accident is told, without its text
    assert CANARY not in said + caplog.text


async def test_it_logs_as_the_front_does(capfd: pytest.CaptureFixture[str]) -> None:
    options = WorkerOptions(log_format="json")
    async with started(scripted_worker(worker=options)) as backend:
        with pytest.raises(Problem):
            await answer(backend, chat("boom"))
        pid = backend.pid
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert {line["process"] for line in lines} == {f"worker[{pid}]"}
    assert any("ValueError" in line["message"] for line in lines)
