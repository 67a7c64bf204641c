"""The program that listens on a port."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest

from llmaas_server.cli.holders import holder_of


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux says it in files")
def test_this_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
        assert (holder_of(port) or "").endswith(f" (process {os.getpid()})")
    assert holder_of(port) is None


def test_where_the_system_does_not_say(tmp_path: Path) -> None:
    assert holder_of(8000, tmp_path) is None
