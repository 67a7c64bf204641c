"""torch, GPUs, kernels and memory: each as it may be, and what to do about it."""

from __future__ import annotations

import json
import platform
import sys
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.cli.checks import computing
from llmaas_server.models import machine
from support.checking import found, only, settings
from support.kernels import FOLDER, library

REPORT: dict[str, Any] = {
    "version": "2.13.0",
    "threads": 2,
    "cpu": "AVX2",
    "features": ["amx_int8"],
    "built_for": None,
    "error": None,
    "cuda": [],
}
SELECTOR = "https://pytorch.org/get-started/locally"


def reporting(monkeypatch: pytest.MonkeyPatch, gpu: bool = False, **report: Any) -> None:
    """Have torch say this, on a machine with or without a GPU."""
    monkeypatch.setattr(computing, "_TORCH", f"print({json.dumps(json.dumps(REPORT | report))})")
    monkeypatch.setattr(machine, "gpu_memory_bytes", lambda: 8 << 30 if gpu else None)


def test_torch_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "version_of", lambda name: None)
    finding = only(computing.torch())
    assert (finding.state, finding.found) == ("wrong", "not installed")
    assert finding.remedy == "pip install 'llmaas[server]'"


def test_torch_that_does_not_load(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "_TORCH", "raise ImportError('libgomp is missing')")
    finding = only(computing.torch())
    assert (finding.state, finding.remedy) == ("wrong", "pip install --force-reinstall torch")
    assert "libgomp" in finding.found


def test_torch_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(computing, "_TORCH", "import threading; threading.Event().wait()")
    monkeypatch.setattr(computing, "TORCH_SECONDS", 0.2)
    assert only(computing.torch()).found.startswith("does not load within")


def test_the_torch_of_the_test_run() -> None:
    assert found(computing.torch(), "torch").state == "ok"


@pytest.mark.parametrize(
    ("report", "devices", "state", "says", "remedy"),
    [
        ({}, "auto", "ok", "none, and none is asked for", None),
        ({"built_for": "13.0"}, "auto", "ok", "built for CUDA 13.0, which takes room", None),
        ({"cuda": ["H100 (cuda:0, 80 GiB)"]}, "cuda:0", "ok", "H100 (cuda:0, 80 GiB)", None),
        ({"gpu": True}, "auto", "weak", "built for the CPU", f"choose it at {SELECTOR}"),
        ({"gpu": True}, "cuda", "wrong", "asks for cuda", f"choose it at {SELECTOR}"),
        (
            {"gpu": True, "built_for": "13.0", "error": "The NVIDIA driver is too old"},
            "auto",
            "weak",
            "torch cannot use it: The NVIDIA driver is too old",
            "update its driver",
        ),
        ({}, "cuda", "wrong", "device = cuda asks for cuda", "llmaas serve --device auto"),
        ({"cuda": ["A"]}, "cuda:0,cuda:1", "wrong", "asks for cuda:1", "--device auto"),
    ],
)
def test_gpu(
    monkeypatch: pytest.MonkeyPatch,
    report: dict[str, Any],
    devices: str,
    state: str,
    says: str,
    remedy: str | None,
) -> None:
    reporting(monkeypatch, **report)
    finding = found(computing.torch(devices), "gpu")
    assert finding.state == state
    assert says in finding.found
    assert (remedy is None) == (finding.remedy is None)
    assert (remedy or "") in (finding.remedy or "")


@pytest.mark.parametrize(("cpu", "state"), [("AVX2", "ok"), ("DEFAULT", "weak")])
def test_cpu(monkeypatch: pytest.MonkeyPatch, cpu: str, state: str) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    reporting(monkeypatch, cpu=cpu)
    finding = found(computing.torch(), "cpu")
    assert finding.state == state
    assert finding.found.startswith(f"{cpu}, amx_int8, 2 threads of ")


def test_kernels_that_are_there(tmp_path: Path) -> None:
    built = library()
    cached = settings(tmp_path).model_copy(update={"cache": FOLDER.parent})
    found = only(computing.kernels(cached)).found
    assert found == f"native {built.instructions}, built"


def test_kernels_that_will_be_built_or_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "c++").write_text("#!/bin/sh\necho 1\n")
    (tmp_path / "c++").chmod(0o700)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = only(computing.kernels(settings(tmp_path)))
    assert finding.state == "ok"
    assert f"by {tmp_path / 'c++'}" in finding.found
    (tmp_path / "c++").unlink()
    finding = only(computing.kernels(settings(tmp_path)))
    assert finding.state == "weak"
    assert "several times slower: there is no C++ compiler" in finding.found


@pytest.mark.parametrize(
    ("release", "remedy"),
    [
        ({"ID": "ubuntu", "ID_LIKE": "debian"}, "sudo apt-get install g++"),
        ({"ID": "fedora"}, "sudo dnf install gcc-c++"),
        ({"ID": "alpine"}, "sudo apk add g++"),
        ({"ID": "unheard-of"}, "install g++ or clang++"),
    ],
)
def test_how_a_compiler_is_installed(
    monkeypatch: pytest.MonkeyPatch, release: dict[str, str], remedy: str
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: release)
    assert computing._install_compiler() == remedy


@pytest.mark.parametrize("asked", [{"quantization": "none"}, {"dtype": "float32"}])
def test_kernels_that_nobody_wants(asked: dict[str, str], tmp_path: Path) -> None:
    assert only(computing.kernels(settings(tmp_path, **asked))).found.startswith("torch: ")


@pytest.mark.parametrize(("total", "state"), [(8 << 30, "ok"), (1 << 30, "weak")])
def test_memory(monkeypatch: pytest.MonkeyPatch, total: int, state: str) -> None:
    monkeypatch.setattr(machine, "cpu_memory_bytes", lambda: total)
    assert only(computing.memory()).state == state
