"""`llmaas up` in a process of its own, with a browser that only writes down what it is to open."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.front import eventually
from support.serving import hermetic

RUN = "import sys; from llmaas_client.cli import main; sys.argv[0] = 'llmaas'; sys.exit(main())"
"""`llmaas`, of the source under test."""

_RECORD = """#!/bin/sh
echo "$1" > "$0.new"
mv "$0.new" "$0.seen"
"""


@dataclass(frozen=True, slots=True)
class Recorder:
    """Stands in for a browser, by the variable BROWSER."""

    program: Path

    @classmethod
    def in_folder(cls, folder: Path) -> Recorder:
        program = folder / "browser"
        program.write_text(_RECORD)
        program.chmod(0o700)
        return cls(program)

    def opened(self) -> str:
        """The address, once it was given one; the next one is waited for anew."""
        seen = self.program.with_name("browser.seen")
        eventually(seen.exists, "the browser is opened")
        url = seen.read_text().strip()
        seen.unlink()
        return url

    @property
    def was_not_asked(self) -> bool:
        return not self.program.with_name("browser.seen").exists()


@contextmanager
def upping(
    folder: Path,
    *flags: str,
    command: str = "up",
    variables: Mapping[str, str | None] | None = None,
) -> Iterator[subprocess.Popen[str]]:
    """The process, in a group of its own as on a terminal. None unsets a variable."""
    environment: dict[str, str | None] = {
        **hermetic(),
        "LLMAAS_HOME": str(folder / "home"),
        "LLMAAS_CACHE": str(folder / "cache"),
        **(variables or {}),
    }
    with subprocess.Popen(
        [sys.executable, "-c", RUN, command, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env={name: value for name, value in environment.items() if value is not None},
        start_new_session=True,
    ) as running:
        try:
            yield running
        finally:
            if running.poll() is None:
                os.killpg(running.pid, signal.SIGKILL)


def interrupt(running: subprocess.Popen[str]) -> tuple[str, str]:
    """Ctrl-C; what was said until the end."""
    os.killpg(running.pid, signal.SIGINT)
    return running.communicate(timeout=30)


def lines_until(running: subprocess.Popen[str], start: str | tuple[str, ...]) -> list[str]:
    """What it says up to the line that starts so."""
    assert running.stdout is not None
    lines = []
    for line in running.stdout:
        lines.append(line.rstrip())
        if line.startswith(start):
            return lines
    raise AssertionError(f"it ended: {lines}, {running.stderr and running.stderr.read()}")
