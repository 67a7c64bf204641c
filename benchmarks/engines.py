"""Engines in child processes, as values that can be asked."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import IO, Any

from .figures import note
from .machine import ROOT
from .options import Options
from .processes import end


class Engine:
    """A child that answers a line with a line."""

    def __init__(self, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
        self._process = process
        self._log = log
        self._read()

    def ask(self, **question: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(question).encode() + b"\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            words = self._log.read()[-4000:].decode(errors="replace")
            raise RuntimeError(f"{self._process.args!r} ended:\n{words}")
        answer: dict[str, Any] = json.loads(line)
        return answer


@contextmanager
def engine(child: str, settings: Mapping[str, Any], python: Path | None = None) -> Iterator[Engine]:
    """`benchmarks.children.<child>`, under this Python or the one that has its packages."""
    program = [str(python or sys.executable), "-m", f"benchmarks.children.{child}"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [*program, json.dumps(settings)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            cwd=ROOT,
        )
        try:
            yield Engine(process, log)
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()
            end(process)


def ours(options: Options, format: str, model: str) -> AbstractContextManager[Engine]:
    """Our own runtime in a format, with one of the embedded models."""
    note(f"starting llmaas {format}")
    settings = {
        "cache": str(options.cache),
        "threads": options.threads,
        "format": format,
        "model": model,
    }
    return engine("llmaas_engine", settings)
