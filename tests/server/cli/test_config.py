"""`llmaas config show`: what counts, and why."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from llmaas_server.cli.config import app
from llmaas_server.settings import Settings


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))
    monkeypatch.setenv("LLMAAS_THREADS", "3")
    file = tmp_path / "llmaas.toml"
    file.write_text("port = 81\n")
    return file


def test_table(file: Path) -> None:
    done = CliRunner().invoke(app, ["show", "--config", str(file)], env={"COLUMNS": "300"})
    assert done.exit_code == 0
    rows = {line.split()[0]: line.split() for line in done.output.splitlines()}
    assert rows.keys() >= Settings.model_fields.keys()
    assert rows["port"][1:] == ["81", str(file)]
    assert rows["threads"][1:] == ["3", "LLMAAS_THREADS"]
    assert rows["host"][1:] == ["127.0.0.1", "default"]


def test_json(file: Path) -> None:
    done = CliRunner().invoke(app, ["show", "--json", "--config", str(file)])
    rows = json.loads(done.output)
    assert list(rows) == list(Settings.model_fields)
    assert rows["port"] == {"value": 81, "origin": str(file)}
    assert rows["max_body_bytes"] == {"value": 2 << 20, "origin": "default"}


def test_wrong_file(file: Path) -> None:
    file.write_text("prot = 1")
    done = CliRunner().invoke(app, ["show", "--config", str(file)])
    assert done.exit_code == 2
    assert "'prot'" in done.stderr
    assert done.stderr.count("\n") == 1
