"""Python and its packages, as they are and as they are not."""

from __future__ import annotations

import importlib.util

import pytest

from llmaas_server.cli.checks import installation
from support.checking import only


def test_of_the_test_run() -> None:
    for check in (installation.python, installation.packages):
        assert only(check()).state == "ok"


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    needed = ['no-such-thing>=1; extra == "server"']
    monkeypatch.setattr(installation, "requires", lambda name: needed)
    finding = only(installation.packages())
    assert (finding.state, finding.remedy) == ("wrong", "pip install 'llmaas[server]'")
    assert "no-such-thing" in finding.found


def test_old_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installation, "LEAST_PYTHON", (99, 0))
    finding = only(installation.python())
    assert (finding.state, finding.remedy) == ("wrong", "install Python 3.11 or newer")


def test_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    finding = only(installation.pip())
    assert finding.state == "weak"
    assert finding.remedy is not None
    assert finding.remedy.endswith(" -m ensurepip")
