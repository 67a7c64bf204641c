"""A PDF is read in a process of its own, which alone pays for what is wrong with it."""

from __future__ import annotations

import time

import pytest

from llmaas_server.errors import Problem
from llmaas_server.ui.apart import text_apart
from support.pdfs import pdf


async def test_apart_it_is_the_same() -> None:
    assert await text_apart("a.pdf", pdf("Over there.")) == "Over there."
    with pytest.raises(Problem, match="locked") as caught:
        await text_apart("a.pdf", pdf("secret", password="sesame"))
    assert (caught.value.code, caught.value.hint) == (
        "invalid_request", "Save it without a password.",
    )  # fmt: skip


async def test_a_file_that_takes_too_long_is_left() -> None:
    began = time.monotonic()
    with pytest.raises(Problem, match="takes more than"):
        await text_apart("a.pdf", pdf(*["page"] * 500), seconds=0.05)
    assert time.monotonic() - began < 5


async def test_a_file_that_takes_too_much_costs_its_own_process() -> None:
    """A line of 30 million characters is small until it is unpacked."""
    bomb = pdf("a" * 30_000_000)
    assert len(bomb) < 100_000
    with pytest.raises(Problem, match="damaged"):
        await text_apart("a.pdf", bomb, memory_bytes=100 << 20)
