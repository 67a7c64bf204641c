"""A private server: it is there when it is needed, and gone afterwards, however things end."""

from __future__ import annotations

import asyncio
import gc
import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, ConfigurationError
from support.forks import PATIENCE

START = """
import signal, sys, time
from llmaas_client import Client
signal.signal(signal.SIGINT, signal.default_int_handler)  # background jobs inherit another
client = Client.local(backend="fake")
print(client._server.pid, client.base_url, client._server.log.parent, flush=True)
"""


def lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until_gone(pid: int) -> None:
    pause = threading.Event()
    end = time.monotonic() + PATIENCE
    while lives(pid):
        assert time.monotonic() < end, "the server does not end"
        pause.wait(0.02)


def test_a_server_of_ones_own() -> None:
    with Client.local(backend="fake", log_level="error") as client:
        server = client._server
        assert server is not None
        assert client.classify("x", labels=["a", "b"]).model == "fake"
        assert client.account.show().id, "it may manage, too"
        assert client.using(temperature=0).chat("x").text
        with pytest.raises(TypeError, match="server of its own"):
            pickle.dumps(client)
        folder = server.log.parent
        assert (folder / "home").is_dir()
        assert not (folder / "home").stat().st_mode & 0o077
    wait_until_gone(server.pid)
    assert not folder.exists()
    client.close()


def test_an_async_client_has_one_too() -> None:
    async def main() -> int:
        async with AsyncClient.local(backend="fake") as client:
            assert (await client.chat("x")).model == "fake"
            assert client._server is not None
            return client._server.pid

    wait_until_gone(asyncio.run(main()))


def test_a_home_is_kept(tmp_path: Path) -> None:
    home = tmp_path / "home"
    with Client.local(home=home, backend="fake") as client:
        application = client.account.applications.create("kept")
        with pytest.raises(ConfigurationError, match=r"runs on .* already"):
            Client.local(home=home, backend="fake")
    with Client.local(home=home, backend="fake") as client:
        names = [one.id for one in client.account.applications.list()]
    assert application.id in names


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"backend": "fake", "chat_modle": "x"}, "there is no setting 'chat_modle'"),
        ({"backend": "nothing"}, "backend"),
    ],
)
def test_what_does_not_start_says_why(settings: dict[str, Any], said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=said):
        Client.local(**settings)


@pytest.mark.filterwarnings(
    "ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)
def test_it_goes_with_the_last_that_refers_to_it() -> None:
    """Closing is better: it closes the connections, too."""
    client = Client.local(backend="fake")
    assert client._server is not None
    pid = client._server.pid
    other = client.using(temperature=0)
    del client
    assert other.chat("x").text, "one that was made from it keeps it"
    del other
    gc.collect()
    wait_until_gone(pid)


def run_script(rest: str) -> tuple[subprocess.Popen[str], int, Path]:
    process = subprocess.Popen(
        [sys.executable, "-c", START + rest], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    pid, _, folder = process.stdout.readline().split()
    return process, int(pid), Path(folder)


@pytest.mark.parametrize(
    ("rest", "code"),
    [("", 0), ("1 / 0", 1)],
    ids=["end", "error"],
)
def test_it_ends_with_the_program(rest: str, code: int) -> None:
    process, pid, folder = run_script(f"sys.stderr.close()\n{rest}")
    with process:
        assert process.wait(PATIENCE) == code
    wait_until_gone(pid)
    assert not folder.exists()


def test_it_ends_when_the_program_dies() -> None:
    """As a kernel does that is killed: nobody has the time to clean up."""
    process, pid, _ = run_script("time.sleep(600)")
    with process:
        assert lives(pid)
        process.kill()
        assert process.wait(PATIENCE) == -signal.SIGKILL
    wait_until_gone(pid)


def test_ctrl_c_is_for_the_program() -> None:
    rest = """
try:
    print("waiting", flush=True)
    time.sleep(600)
except KeyboardInterrupt:
    print(client.chat("x").model, flush=True)
"""
    process, pid, _ = run_script(rest)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "waiting"
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline().strip() == "fake"
        assert process.wait(PATIENCE) == 0
    wait_until_gone(pid)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_child_does_not_end_it() -> None:
    rest = """
import os
if os.fork() == 0:
    sys.exit(0)
os.wait()
print(client.chat("x").model, flush=True)
"""
    process, pid, _ = run_script(rest)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "fake"
        assert process.wait(PATIENCE) == 0
    wait_until_gone(pid)
