"""Settings that are unknown, without effect, or against something else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.cli.checks import options
from llmaas_server.models import machine
from llmaas_server.settings import load_settings
from support.checking import only, settings

HAS = 8 << 30


@pytest.fixture(autouse=True)
def own_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(machine, "cpu_memory_bytes", lambda: HAS)
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))


def test_as_they_are_by_default(tmp_path: Path) -> None:
    assert only(options.settings(settings(tmp_path))).state == "ok"


@pytest.mark.parametrize(
    ("values", "state", "says", "remedy"),
    [
        ({"memory_bytes": "16GiB"}, "weak", "this machine has 8.0 GiB", "6144MiB"),
        ({"kv_bytes": "9GiB"}, "wrong", "more than all models may have", 'kv_bytes = "1GiB"'),
        ({"kv_bytes": "2GiB", "memory_bytes": "1GiB"}, "wrong", "(1.0 GiB)", "kv_bytes"),
        ({"quantization": "int4", "dtype": "float32"}, "weak", "no effect", "dtype to auto"),
        ({"quantization": "int8", "device": "cuda"}, "weak", "for a CPU", "quantization to auto"),
        ({"threads": 9}, "weak", "threads = 9 on 4 processors", "threads to 4 or less"),
        (
            {"encryption_key": "hunter2", "encryption_key_command": "cat key"},
            "wrong",
            "are both set",
            "unset LLMAAS_ENCRYPTION_KEY",
        ),
    ],
)
def test_what_cannot_be_or_does_nothing(
    tmp_path: Path, values: dict[str, Any], state: str, says: str, remedy: str
) -> None:
    finding = only(options.settings(settings(tmp_path, **values)))
    assert finding.state == state
    assert says in finding.found
    assert finding.remedy is not None
    assert remedy in finding.remedy
    assert "hunter2" not in finding.found + finding.remedy


def test_a_file_that_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work").mkdir()
    for folder in (tmp_path, tmp_path / "work"):
        (folder / "llmaas.toml").write_text("port = 1\n")
    monkeypatch.chdir(tmp_path / "work")
    finding = only(options.settings(load_settings()))
    assert finding.state == "weak"
    assert finding.found.startswith(f"{tmp_path / 'llmaas.toml'} is not read")


def test_a_home_that_clients_do_not_look_into(tmp_path: Path) -> None:
    finding = only(options.settings(settings(tmp_path / "other")))
    assert finding.state == "weak"
    assert finding.remedy == f"export LLMAAS_HOME={tmp_path / 'other'}"


def test_tracing_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(options, "version_of", lambda name: None)
    assert only(options.settings(settings(tmp_path))).state == "ok"
    finding = only(options.settings(settings(tmp_path, tracing="otlp")))
    assert (finding.state, finding.remedy) == ("wrong", "pip install 'llmaas[otel]'")


def test_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_API_KEY", "hunter2")
    monkeypatch.setattr("llmaas_server.settings.variables", lambda: ["LLMAAS_API_KEY"])
    assert only(options.variables()).state == "ok"
    monkeypatch.undo()
    monkeypatch.setenv("LLMAAS_PROT", "hunter2")
    named = [one for one in options.variables() if "LLMAAS_PROT" in one.found]
    finding = only(named)
    assert finding.state == "weak"
    assert finding.found == "LLMAAS_PROT is read by nothing, but LLMAAS_PORT is"
    assert finding.remedy == "unset LLMAAS_PROT, and set LLMAAS_PORT"
