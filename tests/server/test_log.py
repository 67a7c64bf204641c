"""One line for each event; nothing secret, nothing of a user's, at any level."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmaas_server.api.access_log import Access, Accident
from llmaas_server.log import Format, configure
from llmaas_server.settings import Settings
from support.front import front

CANARY = "canary-7f3a"


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, given back as it was."""
    logger = logging.getLogger()
    ours = [logging.getLogger(name) for name in ("llmaas", "llmaas_server")]
    handlers, levels = logger.handlers[:], [one.level for one in (logger, *ours)]
    yield logger
    logger.handlers[:] = handlers
    for one, level in zip((logger, *ours), levels, strict=True):
        one.setLevel(level)


def captured(root: logging.Logger) -> io.StringIO:
    stream = io.StringIO()
    (handler,) = root.handlers
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    return stream


def test_json_has_an_object_for_each_line(root: logging.Logger) -> None:
    configure("info", "json")
    log = captured(root)
    access = Access("req_1", "0af7", "abc", "POST", "/v1/tasks/chat", 200, 12.5)
    logging.getLogger("llmaas.access").info(access)
    logging.getLogger("llmaas.other").warning("%s\nlines", "two")
    request, other = map(json.loads, log.getvalue().splitlines())
    assert (request["event"], request["route"], request["status"]) == (
        "request", "/v1/tasks/chat", 200,
    )  # fmt: skip
    assert (request["request_id"], request["key_id"], request["duration_ms"]) == (
        "req_1", "abc", 12.5,
    )  # fmt: skip
    assert request["trace_id"] == "0af7"
    assert (other["event"], other["level"], other["message"]) == (
        "message", "warning", "two\nlines",
    )  # fmt: skip


def test_an_accident_says_whose_it_is(root: logging.Logger) -> None:
    configure("info", "json")
    log = captured(root)
    try:
        int(CANARY)
    except ValueError as error:
        accident = Accident.of(error, "req_1")
    logging.getLogger("llmaas.problems").error(accident)
    said = json.loads(log.getvalue())
    assert (said["event"], said["request_id"], said["exception"]) == (
        "accident", "req_1", "ValueError",
    )  # fmt: skip
    assert "test_log.py" in said["frames"]
    assert CANARY not in log.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_processes_are_told_apart(root: logging.Logger, format: Format) -> None:
    configure("info", format, "worker[7]")
    log = captured(root)
    logging.getLogger("llmaas_server.runtime").info("loading")
    if format == "json":
        assert json.loads(log.getvalue())["process"] == "worker[7]"
    else:
        assert "worker[7] llmaas_server.runtime loading" in log.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_exceptions_are_told_without_their_text(root: logging.Logger, format: str) -> None:
    configure("info", "json" if format == "json" else "text")
    log = captured(root)
    try:
        int(CANARY)
    except ValueError:
        logging.getLogger("llmaas").exception("it failed")
    assert "ValueError" in log.getvalue()
    assert "test_log.py" in log.getvalue()
    assert CANARY not in log.getvalue()


def test_libraries_say_nothing_below_a_warning(root: logging.Logger) -> None:
    configure("debug")
    log = captured(root)
    logging.getLogger("sqlalchemy.engine").info("a statement with %s", CANARY)
    logging.getLogger("llmaas_server.storage").debug("ours")
    assert CANARY not in log.getvalue()
    assert "ours" in log.getvalue()


@pytest.mark.parametrize("format", ["text", "json"])
def test_nothing_of_a_request_reaches_the_log(
    root: logging.Logger, tmp_path: Path, format: str
) -> None:
    configure("debug", "json" if format == "json" else "text")
    log = captured(root)
    with front(Settings(home=tmp_path, backend="fake")) as server:
        chat = {"messages": [{"role": "user", "content": CANARY}]}
        asked = [
            server.http.post("/v1/tasks/chat", json=chat),
            server.http.post("/v1/tasks/chat", json={**chat, "stream": True}),
            server.http.post("/v1/tasks/embed", json={"text": CANARY}),
            server.http.post("/v1/tasks/embed", json={"text": "a", CANARY: 1}),
            server.http.post("/v1/tasks/embed", json={"text": "a", "model": CANARY}),
            server.http.post("/v1/tasks/embed", content=CANARY),
            server.http.get(f"/{CANARY}?{CANARY}=1", headers={"x-note": CANARY}),
            server.http.get("/v1/models", headers={"authorization": f"Bearer {CANARY}"}),
            server.manage.post(
                "/v1/accounts", json={"name": "n", "email": f"{CANARY}@example.org"}
            ),
        ]
        assert any(one.status_code == httpx.codes.OK for one in asked)
        secrets = [server.key, server.management_key]
        ids = [one.headers["x-request-id"] for one in asked]
    said = log.getvalue()
    assert all(one in said for one in ids)
    assert CANARY not in said
    assert not any(secret in said or secret.rpartition("_")[2] in said for secret in secrets)
