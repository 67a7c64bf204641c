"""The machine that figures were measured on."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ROOT = Path(__file__).parents[1]
WIDE = ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "asimddp", "i8mm")
"""Instructions that the speed of peers and of ours depends on."""


def describe(threads: int) -> str:
    """One line that names the machine, the threads and the versions."""
    return "; ".join(_parts(threads))


def _parts(threads: int) -> Iterator[str]:
    info = _cpu_info()
    name = info.get("model name", platform.processor() or platform.machine())
    flags = set(info.get("flags", info.get("Features", "")).split())
    yield f"{name}, {len(os.sched_getaffinity(0))} CPUs"
    yield f"{', '.join(flag for flag in WIDE if flag in flags) or 'no wide instructions'}"
    yield f"{threads} threads"
    yield f"load {os.getloadavg()[0]:.1f} at the start"
    yield f"Python {platform.python_version()}"
    for package in ("torch", "transformers"):
        try:
            yield f"{package} {version(package)}"
        except PackageNotFoundError:
            yield f"no {package}"
    yield f"llmaas at {_commit()}"


def _cpu_info() -> dict[str, str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return {}
    pairs = (line.partition(":") for line in path.read_text().splitlines())
    found: dict[str, str] = {}
    for name, _, value in pairs:
        found.setdefault(name.strip(), value.strip())
    return found


def _commit() -> str:
    done = subprocess.run(
        ["git", "describe", "--always", "--dirty"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.strip() or "an unknown commit"
