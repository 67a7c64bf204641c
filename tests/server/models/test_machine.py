"""The memory that this process may have, by the limits of control groups."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmaas_server.models.machine import cpu_memory_bytes, physical_cores

MIB = 1 << 20


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


@pytest.mark.parametrize(
    ("own", "files", "limit"),
    [
        ("0::/\n", {"memory.max": f"{5 * MIB}\n"}, 5 * MIB),  # inside of a container
        ("0::/system.slice/llmaas\n", {"system.slice/llmaas/memory.max": "4096\n"}, 4096),
        (  # the group around it has less
            "0::/a/b\n",
            {"a/b/memory.max": f"{9 * MIB}", "a/memory.max": f"{3 * MIB}", "memory.max": "max"},
            3 * MIB,
        ),
        (  # version 1
            "5:cpu,cpuacct:/x\n4:memory:/x\n",
            {"memory/x/memory.limit_in_bytes": f"{2 * MIB}", "x/memory.max": "1"},
            2 * MIB,
        ),
    ],
)
def test_limits(tmp_path: Path, own: str, files: dict[str, str], limit: int) -> None:
    write(tmp_path / "cgroups", files)
    write(tmp_path, {"own": own})
    assert cpu_memory_bytes(tmp_path / "cgroups", tmp_path / "own") == limit


@pytest.mark.parametrize("limit", ["max", str(1 << 62)])
def test_without_a_limit_it_is_the_machine(tmp_path: Path, limit: str) -> None:
    write(tmp_path / "cgroups", {"memory.max": limit})
    write(tmp_path, {"own": "0::/\n"})
    machine = cpu_memory_bytes(tmp_path, tmp_path / "nowhere")
    assert cpu_memory_bytes(tmp_path / "cgroups", tmp_path / "own") == machine > MIB


def test_there_is_a_core() -> None:
    assert 1 <= physical_cores() <= (os.cpu_count() or 1)
