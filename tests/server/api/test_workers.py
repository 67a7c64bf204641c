"""Workers are listed, added and drained over HTTP, while calls run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.workers import WorkerInfo, WorkerList
from llmaas_server.seam.values import ModelRef
from llmaas_server.settings import Settings
from support.backends import MODEL, Team
from support.front import Front, eventually, front

ENDLESS = {
    "model": MODEL.name,
    "messages": [{"role": "user", "content": "endless"}],
    "max_tokens": 150,
    "stream": True,
}


class Scripted:
    """A store with the scripted model alone."""

    def installed(self) -> list[Any]:
        return []

    def ref(self, name: str) -> ModelRef:
        return MODEL


@pytest.fixture
def staffed(tmp_path: Path) -> Iterator[Front]:
    """A front with one worker."""
    with front(Settings(home=tmp_path), Team().replicas(1), Scripted()) as running:
        eventually(lambda: states(running) == {"worker-1": "ready"}, "the worker is ready")
        yield running


def workers(server: Front) -> list[WorkerInfo]:
    return WorkerList.model_validate_json(server.manage.get("/v1/workers").content).workers


def states(server: Front) -> dict[str, str]:
    return {worker.name: worker.state for worker in workers(server)}


def code(response: Any) -> str:
    return ErrorBody.model_validate_json(response.content).error.code


def test_a_worker_is_added_and_the_first_is_drained_under_a_stream(staffed: Front) -> None:
    with staffed.http.stream("POST", "/v1/tasks/chat", json=ENDLESS) as stream:
        lines = stream.iter_lines()
        next(lines)
        added = WorkerInfo.model_validate_json(
            staffed.manage.post("/v1/workers", json={"device": "cpu", "threads": 1}).content
        )
        assert (added.name, added.device, added.threads) == ("worker-2", "cpu", 1)
        drained = staffed.manage.delete("/v1/workers/worker-1")
        assert WorkerInfo.model_validate_json(drained.content).state == "draining"
        *_, last = [line for line in lines if line.startswith("data: ")]
    assert json.loads(last.removeprefix("data: "))["usage"]["completion_tokens"] == 150
    eventually(lambda: states(staffed) == {"worker-2": "ready"}, "the first is gone")

    answer = staffed.http.post(
        "/v1/tasks/chat", json={**ENDLESS, "max_tokens": 3, "stream": False}
    ).json()
    assert answer["message"]["content"] == "aba"
    (second,) = workers(staffed)
    assert (second.running, second.restarts, second.detail) == (0, 0, "")
    eventually(lambda: MODEL.name in workers(staffed)[0].models, "its model is told")


def test_the_last_worker_and_unknown_ones_are_not_drained(staffed: Front) -> None:
    assert code(staffed.manage.delete("/v1/workers/worker-1")) == "conflict"
    assert code(staffed.manage.delete("/v1/workers/worker-9")) == "not_found"
    assert states(staffed) == {"worker-1": "ready"}


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"device": "tpu"}, "invalid_request"),
        ({"device": "auto"}, "invalid_request"),
        ({"device": "cpu", "threads": 0}, "invalid_request"),
        ({}, "invalid_request"),
        ({"device": "cpu", "count": 2}, "unknown_field"),
    ],
)
def test_what_no_worker_can_be(server: Front, body: dict[str, Any], expected: str) -> None:
    assert code(server.manage.post("/v1/workers", json=body)) == expected


def test_the_fake_backend_has_none(server: Front) -> None:
    assert workers(server) == []
    added = server.manage.post("/v1/workers", json={"device": "cpu"})
    drained = server.manage.delete("/v1/workers/worker-1")
    for refused in (added, drained):
        error = ErrorBody.model_validate_json(refused.content).error
        assert error.code == "conflict"
        assert "no workers" in error.message
        assert "backend" in (error.hint or "")


def test_changes_are_in_the_audit_trail(staffed: Front) -> None:
    staffed.manage.post("/v1/workers", json={"device": "cpu", "threads": 1})
    staffed.manage.delete("/v1/workers/worker-9")
    entries = staffed.manage.get("/v1/audit", params={"limit": "1000"}).json()["entries"]
    told = [
        (entry["action"], entry["target"], entry["outcome"], entry["detail"])
        for entry in entries
        if entry["action"].startswith("workers.")
    ]
    assert told == [
        ("workers.add", "cpu", "done", {"threads": 1}),
        ("workers.drain", "worker-9", "done", None),
        ("workers.drain", "worker-9", "refused", {"code": "not_found"}),
    ]
