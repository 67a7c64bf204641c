"""A real server in a process of its own, with a home of its own, on a free port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from llmaas_client.wire.credentials import FILE_NAME, Credentials

LLMAAS = Path(sys.executable).with_name("llmaas")
_BANNER = "llmaas serves at "
_READY_SECONDS = 120.0
_END_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers at `base_url`."""

    base_url: str
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """For clients in other processes."""
        return hermetic() | {"LLMAAS_BASE_URL": self.base_url, "LLMAAS_HOME": str(self.home)}

    @property
    def key(self) -> str:
        credentials = Credentials.model_validate_json((self.home / FILE_NAME).read_bytes())
        return credentials.servers[self.base_url].inference_key


def hermetic() -> dict[str, str]:
    """This environment without what the developer has set for llmaas."""
    return {name: value for name, value in os.environ.items() if not name.startswith("LLMAAS_")}


@contextmanager
def serving(
    folder: Path,
    cache: Path,
    *flags: str,
    program: Path = LLMAAS,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Serving]:
    """`llmaas serve --port 0` with `flags`, ready; `folder` is for its state."""
    home, log = folder / "home", folder / "serve.log"
    where = ["--port", "0", "--home", str(home), "--cache", str(cache)]
    command = [str(program), "serve", *where, *flags]
    with (
        log.open("w") as errors,
        subprocess.Popen(
            command,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            cwd=folder,
            env=hermetic() | dict(variables or {}),
        ) as process,
    ):
        try:
            server = Serving(_read_address(process, log), home)
            _wait_until_ready(server.base_url, process, log)
            yield server
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(_END_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def _read_address(process: subprocess.Popen[str], log: Path) -> str:
    assert process.stdout is not None
    address = None
    for line in process.stdout:
        if line.startswith(_BANNER):
            address = line.removeprefix(_BANNER).strip()
        if line.startswith("Ready") and address:
            return address
    raise AssertionError(f"the server ended: {log.read_text()}")


def _wait_until_ready(base_url: str, process: subprocess.Popen[str], log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"{base_url}/health/ready", timeout=5).close()
        except OSError:
            pause.wait(0.05)
        else:
            return
    raise AssertionError(f"the server is not ready: {log.read_text()}")
