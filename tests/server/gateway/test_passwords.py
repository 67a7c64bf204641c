"""Passwords are hashed slowly, a few at a time."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator

import pytest
from argon2 import PasswordHasher

from llmaas_server.errors import Problem
from llmaas_server.gateway.passwords import AT_ONCE, MOST_WAITING, Passwords


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    opened = Passwords(memory_kib=64, passes=1)
    yield opened
    opened.close()


async def test_right_and_wrong(passwords: Passwords) -> None:
    kept = await passwords.hash("correct horse")
    assert kept.startswith("$argon2id$")
    assert "correct horse" not in kept
    assert kept != await passwords.hash("correct horse")
    assert await passwords.check("correct horse", kept)
    assert not await passwords.check("correct hors", kept)
    assert not await passwords.check("correct horse", "damaged")


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    for text in ("", "nobody has this password"):
        assert not await passwords.check(text, None)


async def test_nobody_costs_the_same_work(
    passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = []
    verify = PasswordHasher.verify

    def watched(self: PasswordHasher, kept: str, password: str) -> bool:
        checked.append(kept.rsplit("$", 2)[0])
        return verify(self, kept, password)

    monkeypatch.setattr(PasswordHasher, "verify", watched)
    await passwords.check("a", None)
    await passwords.check("a", await passwords.hash("b"))
    assert len(checked) == 2
    assert checked[0] == checked[1]  # the same parameters


async def test_costs_that_have_changed(passwords: Passwords) -> None:
    kept = await passwords.hash("correct horse")
    assert not passwords.is_outdated(kept)
    other = Passwords(memory_kib=128, passes=1)
    assert other.is_outdated(kept)
    assert await other.check("correct horse", kept)
    other.close()


async def test_a_flood_is_refused(passwords: Passwords, monkeypatch: pytest.MonkeyPatch) -> None:
    go, inside, most = threading.Event(), [0], [0]
    lock = threading.Lock()

    def slow(password: str, kept: str) -> bool:
        with lock:
            inside[0] += 1
            most[0] = max(most[0], inside[0])
        go.wait(10)
        with lock:
            inside[0] -= 1
        return True

    monkeypatch.setattr(passwords, "_matches", slow)
    room = AT_ONCE + MOST_WAITING
    checks = [asyncio.create_task(passwords.check("a", "b")) for _ in range(room + 5)]
    await asyncio.wait(checks, return_when=asyncio.FIRST_EXCEPTION)
    go.set()
    done = await asyncio.gather(*checks, return_exceptions=True)
    problems = [error for error in done if isinstance(error, Problem)]
    assert len(problems) == 5
    assert {problem.code for problem in problems} == {"overloaded"}
    assert done.count(True) == room
    assert most[0] == AT_ONCE
