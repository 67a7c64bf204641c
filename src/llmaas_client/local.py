"""A private server for a notebook or a script: `Client.local()`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import weakref
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from .config import clean_environment, keys_in
from .errors import ConfigurationError, ServerFault
from .running import address_in

START_SECONDS = 180.0
"""For a server to load what it needs."""
END_SECONDS = 20.0
"""For it to end well, before it is killed."""
_PAUSE = 0.05
_BANNER = "llmaas serves at "
_READY = "Ready"


class LocalServer:
    """A server in a process of its own, on a free port of this machine.

    It ends with `stop`, when nothing refers to it any more, at the end of this process, and when
    this process dies: it holds the other end of the server's standard input.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], folder: Path, url: str, home: Path
    ) -> None:
        self.url = url
        self.home = home
        self.pid = process.pid
        self.log = folder / "serve.log"
        """What it said."""
        self._end = weakref.finalize(self, _stop, process, folder, os.getpid())

    @property
    def keys(self) -> tuple[str, str | None]:
        """The keys that it made for this machine: for tasks, and for managing."""
        found = keys_in(self.home, self.url)
        if found is None:
            raise ServerFault(f"the local server left no key in {self.home}")
        return found

    def stop(self) -> None:
        """End it. Stopping twice is no mistake."""
        self._end()


def start(
    home: str | PathLike[str] | None, settings: Mapping[str, Any], seconds: float
) -> LocalServer:
    """A server that is ready. Without `home` it has one of its own, which is removed at its end.

    Raises ConfigurationError where it does not start, with what it said.
    """
    folder = Path(tempfile.mkdtemp(prefix="llmaas-"))
    try:
        state = folder / "home" if home is None else Path(home).expanduser()
        running = None if home is None else address_in(state)
        if running is not None:
            raise ConfigurationError(
                f"a server runs on {state} already", hint=f"Use it: Client({running!r})."
            )
        process = _launch(folder, state, settings)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    try:
        url = _wait(process, folder / "serve.log", seconds)
    except BaseException:
        _stop(process, folder, os.getpid())
        raise
    return LocalServer(process, folder, url, state)


def _launch(folder: Path, home: Path, settings: Mapping[str, Any]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "llmaas_client.lifeline", "serve"]
    command += ["--host", "127.0.0.1", "--port", "0", "--home", str(home)]
    if settings:
        file = folder / "llmaas.toml"
        # JSON's texts, numbers, booleans and lists are TOML's as well
        lines = [f"{name} = {json.dumps(value)}\n" for name, value in settings.items()]
        file.write_text("".join(lines), "utf-8")
        command += ["--config", str(file)]
    with (folder / "serve.log").open("wb") as log:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            env=clean_environment(without=settings),
            start_new_session=True,  # Ctrl-C is for the caller
        )


def _wait(process: subprocess.Popen[bytes], log: Path, seconds: float) -> str:
    """The address, once it is ready."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        ended = process.poll() is not None
        lines = log.read_text("utf-8", errors="replace").splitlines()
        urls = [line.removeprefix(_BANNER).strip() for line in lines if line.startswith(_BANNER)]
        if urls and any(line.startswith(_READY) for line in lines):
            return urls[0]
        if ended:
            said = next((line for line in reversed(lines) if line.strip()), "it said nothing")
            raise ConfigurationError(
                f"the local server does not start: {said}",
                hint="`llmaas doctor` says what this machine needs.",
            )
        time.sleep(_PAUSE)
    raise ConfigurationError(
        f"the local server is not ready after {seconds:g} seconds", hint="Raise start_seconds."
    )


def _stop(process: subprocess.Popen[bytes], folder: Path, owner: int) -> None:
    """End the process, and remove what was its own."""
    if os.getpid() != owner:
        return  # a fork of the owner, which does not own it
    process.terminate()
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    shutil.rmtree(folder, ignore_errors=True)
