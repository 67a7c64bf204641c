"""The file in `home` by which commands find the server that runs; see `wire.running`."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from llmaas_client.wire.running import FILE_NAME, RunningServer


@contextmanager
def told(home: Path, url: str) -> Iterator[None]:
    """Say in `home` that a server answers at `url`, as long as the block lasts."""
    file = os.open(home / FILE_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)  # those who look hold it for a moment
        os.ftruncate(file, 0)
        os.write(file, RunningServer(url=url).model_dump_json().encode())
        yield
        os.ftruncate(file, 0)
    finally:
        os.close(file)
