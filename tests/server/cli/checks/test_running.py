"""A server that runs, or should, and the key for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.cli.checks import running
from llmaas_server.gateway.running import told
from support.checking import found, only, settings
from support.front import front


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "home"
    monkeypatch.setenv("LLMAAS_HOME", str(folder))
    return folder


def test_none(home: Path) -> None:
    finding = only(running.server(settings(home)))
    assert (finding.state, finding.found) == ("ok", "it does not run; `llmaas up` starts it")


def test_one_that_works(home: Path) -> None:
    with front(settings(home, backend="fake")) as served, told(home, served.url):
        findings = list(running.server(settings(home)))
    assert [one.state for one in findings] == ["ok", "ok"]
    assert findings[0].found.startswith(served.url)


def test_one_of_another_version(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "version_of", lambda name: "99.0")
    with front(settings(home, backend="fake")) as served, told(home, served.url):
        finding = found(running.server(settings(home)), "server")
    assert finding.state == "weak"
    assert "and this is 99.0" in finding.found


def test_a_key_that_it_does_not_take(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_API_KEY", "hunter2")
    with front(settings(home, backend="fake")) as served, told(home, served.url):
        finding = found(running.server(settings(home)), "key")
    assert finding.state == "wrong"
    assert "llmaas keys create NAME" in (finding.remedy or "")
    assert "hunter2" not in finding.found


def test_one_that_does_not_answer(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home.mkdir()
    with told(home, "http://127.0.0.1:9"):
        finding = only(running.server(settings(home)))
    assert finding.state == "wrong"
    assert "http://127.0.0.1:9 does not answer" in finding.found
    monkeypatch.setenv("LLMAAS_BASE_URL", "http://127.0.0.1:9")
    finding = only(running.server(settings(home)))
    assert (finding.state, finding.remedy) == ("wrong", "start it: llmaas up")
    monkeypatch.setenv("LLMAAS_BASE_URL", "nowhere")
    finding = only(running.server(settings(home)))
    assert (finding.what, finding.state) == ("client", "wrong")
