"""Homes for commands that manage: of a server that runs, or of one that does not."""

from __future__ import annotations

import io
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.cli import main
from llmaas_server.gateway.running import told
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from support.front import Front, front

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    for name in [name for name in os.environ if name.startswith("LLMAAS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def served(home: Path) -> Iterator[Front]:
    """A server of this home, which its commands find by themselves."""
    settings = Settings(home=home, backend="fake", registration="invite")
    with front(settings) as running, told(home, running.url):
        yield running


@pytest.fixture
def left(home: Path) -> None:
    """The home of a server that does not run."""
    services = Services.open(Settings(home=home))
    services.bootstrap("http://127.0.0.1:8000")
    services.release()


@pytest.fixture(params=["served", "left"])
def somewhere(request: pytest.FixtureRequest) -> str:
    """A server that runs, or its database alone: commands do the same."""
    request.getfixturevalue(request.param)
    name: str = request.param
    return name


@pytest.fixture
def llmaas(capsys: Capture) -> Callable[..., Any]:
    """Run a command that goes well, with --json; what it printed."""

    def run(*words: str) -> Any:
        code = main([*words, "--json"])
        out, err = capsys.readouterr()
        assert code == 0, err
        return json.loads(out)

    return run


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def fill(text: str) -> None:
        stdin = io.TextIOWrapper(io.BytesIO(text.encode()), "utf-8")
        monkeypatch.setattr(sys, "stdin", stdin)

    return fill
