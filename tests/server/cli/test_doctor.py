"""`llmaas doctor` names what is wrong and what to type; each check is tried both ways."""

from __future__ import annotations

import json
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from llmaas_server.cli import checks
from llmaas_server.cli.checks import Finding
from llmaas_server.cli.doctor import doctor
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from support.front import front
from support.kernels import FOLDER, library


def only(findings: Iterator[Finding]) -> Finding:
    (finding,) = findings
    return finding


def settings(home: Path, **values: object) -> Settings:
    return Settings.model_validate({"home": home, "cache": home / "cache", **values})


def test_python_and_packages_of_the_test_run() -> None:
    for check in (checks.python, checks.packages, checks.memory):
        assert only(check()).state == "ok"


def test_missing_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "requires", lambda name: ['no-such-thing>=1; extra == "server"'])
    finding = only(checks.packages())
    assert (finding.state, finding.remedy) == ("wrong", "pip install 'llmaas[server]'")
    assert "no-such-thing" in finding.found


def test_torch_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "_TORCH", "raise ImportError('libgomp is missing')")
    finding = only(checks.torch())
    assert finding.state == "wrong"
    assert "libgomp" in finding.found


def test_torch_report(monkeypatch: pytest.MonkeyPatch) -> None:
    report = {
        "version": "2.13.0+cpu",
        "threads": 2,
        "cpu": "AVX2",
        "features": ["amx_int8"],
        "cuda": [],
    }
    monkeypatch.setattr(checks, "_TORCH", f"print({json.dumps(json.dumps(report))})")
    torch, cpu = checks.torch()
    assert (torch.state, torch.found) == ("ok", "2.13.0+cpu, no GPU")
    assert cpu.state == "ok"
    assert cpu.found.startswith("AVX2, amx_int8, 2 threads")


def test_kernels_that_are_there(tmp_path: Path) -> None:
    instructions = library().instructions
    cached = settings(tmp_path).model_copy(update={"cache": FOLDER.parent})
    assert only(checks.kernels(cached)).found == f"native {instructions}, built"


def test_kernels_that_will_be_built_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c++").write_text("#!/bin/sh\necho 1\n")
    (tmp_path / "c++").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = only(checks.kernels(settings(tmp_path)))
    assert finding.state == "ok"
    assert f"by {tmp_path / 'c++'}" in finding.found
    (tmp_path / "c++").unlink()
    finding = only(checks.kernels(settings(tmp_path)))
    assert finding.state == "weak"
    assert finding.remedy == "install g++ or clang++"


@pytest.mark.parametrize("asked", [{"quantization": "none"}, {"dtype": "float32"}])
def test_kernels_that_nobody_wants(asked: dict[str, str], tmp_path: Path) -> None:
    assert only(checks.kernels(settings(tmp_path, **asked))).found.startswith("torch: ")


def test_home(tmp_path: Path) -> None:
    home = tmp_path / "home"
    assert only(checks.home(settings(home))).state == "ok"
    services = Services.open(Settings(home=home))
    services.bootstrap("http://127.0.0.1:8000")
    services.release()
    assert only(checks.home(settings(home))).state == "ok"
    (home / "credentials.json").chmod(0o644)
    finding = only(checks.home(settings(home)))
    assert finding.state == "wrong"
    assert finding.remedy
    subprocess.run(finding.remedy, shell=True, check=True)
    assert only(checks.home(settings(home))).state == "ok"


def test_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert str(tmp_path) in only(checks.disk(settings(tmp_path))).found
    monkeypatch.setattr(checks, "LEAST_DISK", 1 << 80)
    assert only(checks.disk(settings(tmp_path))).state == "weak"


def test_models_that_are_not_here(tmp_path: Path) -> None:
    findings = list(checks.models(settings(tmp_path, chat_model="all-minilm-l6-v2")))
    assert [finding.state for finding in findings] == ["wrong", "wrong"]
    assert all("llmaas models pull" in (finding.remedy or "") for finding in findings)


def test_port(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("llmaas_server.cli.listener.PROBE_SECONDS", 0.1)
            finding = only(checks.port(settings(tmp_path, port=port)))
    assert (finding.state, finding.remedy) == ("wrong", "llmaas serve --port N")
    assert only(checks.port(settings(tmp_path, port=port))).state == "ok"


def test_port_of_a_running_server(tmp_path: Path) -> None:
    with front(settings(tmp_path, backend="fake")) as running:
        port = int(running.url.rpartition(":")[2])
        finding = only(checks.port(settings(tmp_path, port=port)))
    assert finding.state == "ok"
    assert "an llmaas server" in finding.found


@pytest.mark.parametrize("free", [True, False])
def test_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, free: bool) -> None:
    with front(settings(tmp_path, backend="fake")) as running:
        url = running.url if free else "http://127.0.0.1:9"
        monkeypatch.setattr(checks, "HUB", url)
        finding = only(checks.hub())
    assert finding.state == ("ok" if free else "weak")
    assert url in finding.found


def run(monkeypatch: pytest.MonkeyPatch, *flags: str, state: str) -> tuple[int, str]:
    finding = Finding("thing", state, "as found", "do this")  # type: ignore[arg-type]
    monkeypatch.setattr(checks, "all_checks", lambda s, network: [lambda: iter([finding])])
    app = typer.Typer()
    app.command()(doctor)
    done = CliRunner().invoke(app, list(flags))
    return done.exit_code, done.output


@pytest.mark.parametrize(("state", "code"), [("ok", 0), ("weak", 0), ("wrong", 1)])
def test_exit_code(monkeypatch: pytest.MonkeyPatch, state: str, code: int) -> None:
    exit_code, output = run(monkeypatch, state=state)
    assert exit_code == code
    assert "thing: as found" in output
    assert "-> do this" in output


def test_json(monkeypatch: pytest.MonkeyPatch) -> None:
    exit_code, output = run(monkeypatch, "--json", state="wrong")
    assert exit_code == 1
    assert json.loads(output) == [
        {"what": "thing", "state": "wrong", "found": "as found", "remedy": "do this"}
    ]


def test_network_is_asked_for_on_demand(tmp_path: Path) -> None:
    without = checks.all_checks(settings(tmp_path), network=False)
    assert checks.hub not in without
    assert checks.hub in checks.all_checks(settings(tmp_path), network=True)
