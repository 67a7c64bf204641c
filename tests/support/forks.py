"""Real servers that start fast: a process that has imported everything forks one for each start.

A server is what `llmaas serve` runs, in a process of its own, with its own sockets, threads and
database; what is saved are a second or two of imports.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from llmaas_client.wire.credentials import FILE_NAME, Credentials, ServerCredentials
from support.serving import hermetic

PATIENCE = 60.0
_BANNER = "llmaas serves at "


@dataclass(frozen=True, slots=True)
class Fork:
    """A server that answers at `url`."""

    pid: int
    url: str
    credentials: ServerCredentials

    def kill(self) -> None:
        """kill -9, and wait until nothing of the process is left."""
        os.kill(self.pid, signal.SIGKILL)
        pause = threading.Event()
        end = time.monotonic() + PATIENCE
        while _lives(self.pid):
            assert time.monotonic() < end, "the server does not die"
            pause.wait(0.002)


@dataclass(frozen=True, slots=True)
class Forks:
    """Starts servers over one home."""

    home: Path
    _log: Path
    _options: dict[str, object]
    _orders: IO[str]
    _words: IO[str]

    def start(self) -> Fork:
        """A new server, when it says that it is ready."""
        self._orders.write(json.dumps(self._options) + "\n")
        self._orders.flush()
        pid, url = 0, ""
        for line in self._words:
            if line.startswith("forked "):
                pid = int(line.split()[1])
            elif line.startswith(_BANNER):
                url = line.removeprefix(_BANNER).strip()
            elif line.startswith("ended"):
                break
            elif line.startswith("Ready"):
                text = (self.home / FILE_NAME).read_bytes()
                return Fork(pid, url, Credentials.model_validate_json(text).servers[url])
        raise AssertionError(f"the server did not start: {self._log.read_text()}")


@contextmanager
def forking(folder: Path, **options: object) -> Iterator[Forks]:
    """Servers with `options` as their settings; those that live at the end are killed."""
    home, log = folder / "home", folder / "serve.log"
    settings = {"home": str(home), "cache": str(folder / "cache"), "port": 0, **options}
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=hermetic() | {"PYTHONPATH": str(Path(__file__).parent.parent)},
            start_new_session=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            yield Forks(home, log, settings, process.stdin, process.stdout)
        finally:
            os.killpg(process.pid, signal.SIGKILL)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def main() -> None:
    """Import everything once; then fork for each line of settings."""
    from llmaas_server import app  # noqa: F401
    from llmaas_server.cli import server as _  # noqa: F401
    from llmaas_server.cli import serving
    from llmaas_server.gateway.sign_in_links import SignInLinks
    from llmaas_server.settings import Settings

    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            print(f"forked {os.getpid()}", flush=True)
            try:
                serving.run(Settings(**json.loads(line)), SignInLinks.first)
            finally:
                print("ended", flush=True)


if __name__ == "__main__":
    main()
