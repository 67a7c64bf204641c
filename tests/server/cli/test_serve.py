"""`llmaas serve` as a process: what it says, what it refuses, how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.sse import Decoder, ServerSentEvent
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.cli.banner import banner
from llmaas_server.models.store import Store
from llmaas_server.settings import Settings
from support.front import eventually, front, key_of
from support.pacing import Turnstile
from support.processes import started


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_from_start_to_end(tmp_path: Path, how: signal.Signals) -> None:
    with started(tmp_path, "--port", "0") as running:
        assert running.stdout
        lines = [next(running.stdout).rstrip()]
        while not lines[-1].startswith("Ready"):
            lines.append(next(running.stdout).rstrip())
        url = lines[0].removeprefix("llmaas serves at ")
        key = key_of(tmp_path, url)
        said = "\n".join(lines)
        assert key not in said
        assert str(tmp_path) in said
        assert "all-minilm-l6-v2" in said
        assert "fake" in said
        answer = httpx.post(
            f"{url}/predict", json={"text": "a"}, headers={"authorization": f"Bearer {key}"}
        )
        assert answer.status_code == httpx.codes.OK
        running.send_signal(how)
        _, log = running.communicate(timeout=20)
        assert running.returncode == 0
    assert "POST /predict 200" in log
    assert "Traceback" not in log
    assert key not in log


def refused(home: Path, *flags: str, code: int = 1) -> str:
    with started(home, *flags) as running:
        out, err = running.communicate(timeout=20)
        assert running.returncode == code
    assert out == ""
    assert err.count("\n") == 1
    return err


def test_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        assert "--port N" in refused(tmp_path, "--port", port)


def test_beyond_this_machine(tmp_path: Path) -> None:
    assert "--tls-cert" in refused(tmp_path, "--host", "0.0.0.0", "--port", "0")


def test_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "llmaas.toml").write_text("prot = 1")
    assert "'prot'" in refused(tmp_path, code=2)


def test_damaged_keys(tmp_path: Path) -> None:
    (tmp_path / "credentials.json").write_text("{")
    assert "credentials.json is damaged" in refused(tmp_path, "--port", "0")


def test_models_that_are_not_here_are_told_with_what_to_type(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, chat_model="no-such", classify_model="bad")
    lines = banner(settings, Store(tmp_path), "http://127.0.0.1:1", None)
    assert "  embed       all-minilm-l6-v2  not on this machine" in lines
    assert any(line.startswith("  chat        no-such  no model is named") for line in lines)
    wanted = "llmaas models pull all-minilm-l6-v2 smollm2-135m-instruct-q4_1"
    assert f"To bring what is missing: {wanted}" in lines


def test_imports_no_torch_and_no_web_server_before_it_runs() -> None:
    code = (
        "import sys, json, llmaas_server.cli.serve, llmaas_server.cli.doctor, "
        "llmaas_server.cli.config; print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"torch", "uvicorn", "starlette", "pydantic_settings", "msgspec", "huggingface_hub"}
    assert not heavy & set(json.loads(done.stdout))


def test_calls_in_flight_end_well_within_the_grace(tmp_path: Path) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    with front(Settings(home=tmp_path, backend="fake", grace_seconds=10), backend) as running:
        body = {"messages": [{"role": "user", "content": "one two"}], "stream": True}
        with running.http.stream("POST", "/v1/tasks/chat", json=body) as response:
            events = events_of(response)
            assert next(events).event == "start"
            eventually(lambda: turnstile.reached, "the call runs")
            running.stop()
            eventually(lambda: not backend.status().ready, "the backend drains")
            turnstile.let(3)
            assert [event.event for event in events] == ["delta", "delta", "done"]


def test_calls_that_outlast_the_grace_get_a_typed_end(tmp_path: Path) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    with front(Settings(home=tmp_path, backend="fake", grace_seconds=0.05), backend) as running:
        body = {"messages": [{"role": "user", "content": "one two"}], "stream": True}
        with running.http.stream("POST", "/v1/tasks/chat", json=body) as response:
            events = events_of(response)
            assert next(events).event == "start"
            eventually(lambda: turnstile.reached, "the call runs")
            running.stop()
            last = list(events)[-1]
    assert last.event == "error"
    assert ErrorBody.model_validate_json(last.data).error.code == "shutting_down"


def events_of(response: httpx.Response) -> Iterator[ServerSentEvent]:
    decoder = Decoder()
    for chunk in response.iter_raw():
        yield from decoder.feed(chunk)
