"""What people write is in answers, and nowhere else: in no log, no file, no error, no metric."""

from __future__ import annotations

import logging
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Event
from llmaas_server.settings import Settings
from support.front import Front, client, front

CANARY = "zyzzyva-4127"

REQUESTS: dict[str, dict[str, Any]] = {
    "classify": {"text": CANARY, "labels": {"good": CANARY, "bad": "no"}},
    "summarize": {"text": f"{CANARY} is one sentence. Another one. {CANARY}!"},
    "chat": {"messages": [{"role": "user", "content": f"{CANARY} three {CANARY}"}]},
    "embed": {"text": [CANARY, "b"]},
}

WRONG: list[tuple[str, Any]] = [
    ("chat", {"messages": [{"role": CANARY, "content": CANARY}]}),
    ("chat", {"messages": CANARY}),
    ("chat", {"messages": [{"role": "user", "content": CANARY}], "max_tokens": CANARY}),
    ("chat", {"messages": [{"role": "user", "content": CANARY}], "model": "nobody"}),
    ("chat", {"messages": [{"role": "user", "content": f"{CANARY}\x00"}]}),
    ("classify", {"text": CANARY, "labels": [CANARY]}),
    ("classify", {"text": CANARY, "labels": ["good", "good"]}),
    ("summarize", {"text": {"inner": CANARY}}),
    ("embed", {"text": [CANARY] * 2000}),
]


class Stumbling(FakeBackend):
    """Fails as nobody expected, with a text that holds what was asked."""

    stumbles = False

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event]:
        if self.stumbles:
            raise ValueError(f"cannot do {CANARY}")
        async for event in super().run(call_id, tally):
            yield event


@pytest.fixture
def backend() -> Stumbling:
    return Stumbling()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def server(home: Path, backend: Stumbling, caplog: pytest.LogCaptureFixture) -> Iterator[Front]:
    caplog.set_level(logging.DEBUG)
    with front(Settings(home=home, cache=home / "cache", backend="fake"), backend) as running:
        yield running


def ask(http: httpx.Client) -> list[str]:
    """Everything once, whole and in a stream, with and without an Idempotency-Key."""
    answers = []
    for task, request in REQUESTS.items():
        for number, extra in enumerate(({}, {"stream": True})):
            if extra and task not in ("chat", "summarize"):
                continue
            for headers in ({}, {"idempotency-key": f"{task}-{number}"}):
                answer = http.post(f"/v1/tasks/{task}", json=request | extra, headers=headers)
                assert answer.status_code == 200, answer.text
                answers.append(answer.text)
    return answers


def check_log(caplog: pytest.LogCaptureFixture) -> None:
    assert caplog.records
    for record in caplog.records:
        assert CANARY not in f"{record.getMessage()} {record.exc_text} {record.__dict__}"


def check_files(home: Path) -> None:
    files = [file for file in home.rglob("*") if file.is_file()]
    assert any(file.suffix == ".db" for file in files)
    assert [file for file in files if CANARY.encode() in file.read_bytes()] == []


def test_nothing_is_kept(server: Front, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    answers = ask(server.http)
    assert any(CANARY in answer for answer in answers)
    check_files(home)
    check_log(caplog)
    assert server.manage.get("/v1/records").json() == {"records": [], "next": None}
    for path in ("/metrics", "/v1/usage", "/v1/audit", "/v1/accounts/me/export"):
        assert CANARY not in server.manage.get(path).text


def test_no_error_says_it(server: Front, home: Path, caplog: pytest.LogCaptureFixture) -> None:
    for task, request in WRONG:
        answer = server.http.post(f"/v1/tasks/{task}", json=request)
        assert answer.is_client_error
        assert CANARY not in answer.text, answer.text
    broken = b'{"messages": "' + CANARY.encode()
    headers = {"content-type": "application/json"}
    answer = server.http.post("/v1/tasks/chat", content=broken, headers=headers)
    assert CANARY not in answer.text
    check_log(caplog)
    check_files(home)


@pytest.mark.parametrize("stream", [False, True])
def test_no_accident_says_it(
    server: Front, backend: Stumbling, home: Path, caplog: pytest.LogCaptureFixture, stream: bool
) -> None:
    backend.stumbles = True
    answer = server.http.post("/v1/tasks/chat", json=REQUESTS["chat"] | {"stream": stream})
    assert "internal_error" in answer.text
    assert CANARY not in answer.text
    assert "ValueError" in caplog.text
    check_log(caplog)
    check_files(home)


def test_with_retention_it_is_kept_encrypted(
    server: Front, home: Path, caplog: pytest.LogCaptureFixture
) -> None:
    made = server.manage.post("/v1/applications", json={"name": "keeps", "retention": True})
    body = {"name": "a key", "application_id": made.json()["id"]}
    key = server.manage.post("/v1/keys", json=body).json()["secret"]
    with client(server.url, key) as http:
        count = len(ask(http))
    check_files(home)
    check_log(caplog)
    records = server.manage.get("/v1/records").json()["records"]
    assert len(records) == count
    for record in records:
        shown = server.manage.get(f"/v1/records/{record['id']}").json()
        assert CANARY in str(shown["request"])
    shown = [server.manage.get(f"/v1/records/{record['id']}").json() for record in records]
    assert {one["task"] for one in shown} == set(REQUESTS)
    assert any(CANARY in str(one["answer"]) for one in shown)
