from __future__ import annotations

import os
import sys
import time

import pytest
from benchmarks.engines import engine
from benchmarks.processes import pss_bytes, running, wait_until_ready


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="PSS is Linux's")
def test_memory_counts_children_once() -> None:
    code = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"
    with running([sys.executable, "-c", code]) as process:
        deadline = time.monotonic() + 20
        sizes = pss_bytes(process.pid)
        while len(sizes) < 2 and time.monotonic() < deadline:
            sizes = pss_bytes(process.pid)
        assert len(sizes) == 2
        assert os.getpid() not in sizes
        assert sizes[process.pid] > 100_000


def test_a_server_that_ends_is_told_with_its_words() -> None:
    code = "import sys; sys.exit('no such model')"

    def wait() -> None:
        with running([sys.executable, "-c", code]) as process:
            process.wait(30)
            wait_until_ready(process, "http://127.0.0.1:9")

    with pytest.raises(RuntimeError, match="ended with 1") as caught:
        wait()
    assert "no such model" in caught.value.__notes__[0]


def test_an_engine_that_cannot_start_is_told_with_its_words() -> None:
    def start() -> None:
        with engine("nobody", {}):
            raise AssertionError("it has started")

    with pytest.raises(RuntimeError, match=r"No module named benchmarks\.children\.nobody"):
        start()
