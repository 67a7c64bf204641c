"""`llmaas serve` in a process of its own, with the fake backend."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SERVE = "import typer; from llmaas_server.cli.serve import serve; typer.run(serve)"


@contextmanager
def started(home: Path, *flags: str) -> Iterator[subprocess.Popen[str]]:
    """The process; killed at the end, where it still runs."""
    command = [sys.executable, "-c", _SERVE, "--home", str(home), "--cache", str(home / "cache")]
    with subprocess.Popen(
        [*command, "--backend", "fake", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=home,
    ) as running:
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def process(home: Path, *flags: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The process and its address, once it is ready."""
    with started(home, *flags) as running:
        assert running.stdout
        lines = [next(running.stdout).rstrip()]
        while not lines[-1].startswith("Ready"):
            lines.append(next(running.stdout).rstrip())
        yield running, lines[0].removeprefix("llmaas serves at ")
