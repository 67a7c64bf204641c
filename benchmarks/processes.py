"""Programs in processes of their own, ended by their own id, and the memory they take."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

READY_SECONDS = 180.0
END_SECONDS = 30.0
POLL_SECONDS = 0.05


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str | Path], environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """The process for as long as the block lasts. What it said is shown where it ended early."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=os.environ | (environment or {}),
        )
        try:
            yield process
        except Exception as error:
            if process.poll() is not None:
                log.seek(0)
                words = log.read()[-4000:].decode(errors="replace")
                error.add_note(f"{command[0]} said:\n{words}")
            raise
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then make it."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def wait_until_ready(process: subprocess.Popen[bytes], url: str) -> float:
    """Seconds until `url` answers well. Raises RuntimeError where it does not."""
    started = time.perf_counter()
    while (seconds := time.perf_counter() - started) < READY_SECONDS:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        try:
            urllib.request.urlopen(url, timeout=10).close()
        except (urllib.error.URLError, OSError):
            time.sleep(POLL_SECONDS)
        else:
            return seconds
    raise RuntimeError(f"{url} was not ready after {READY_SECONDS:g} s")


def pss_bytes(root: int) -> dict[int, int]:
    """Proportional memory of a process and all below it, by process id."""
    return {pid: size for pid in _family(root) if (size := _pss(pid)) is not None}


def cpu_seconds(root: int) -> float:
    """What a process and all below it have computed: on a busy machine, too, it says how much."""
    ticks = 0
    for pid in _family(root):
        with suppress(FileNotFoundError, ProcessLookupError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _family(root: int) -> set[int]:
    pids = [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]
    parents = {pid: _parent(pid) for pid in pids}
    family = {root}
    while more := {pid for pid, parent in parents.items() if parent in family} - family:
        family |= more
    return family


def _parent(pid: int) -> int | None:
    try:
        # The name, in brackets, may have spaces and brackets of its own.
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return None


def _pss(pid: int) -> int | None:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith("Pss:"))
