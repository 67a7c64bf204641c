"""Requests that are sent again: answered once, billed once.

A request is known by its key, its `Idempotency-Key` and a hash of what it asks. While it runs,
the same request joins it. Once it is answered, the answer is kept for a short time, encrypted, in
the transaction that bills it, and is given again. Another request under the same `Idempotency-Key`
is a conflict. What failed or was aborted is not kept: it may be tried again.

One who joins keeps the work going: it is stopped when the last one has left.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Protocol

import msgspec

from llmaas_server.errors import Problem
from llmaas_server.storage.answers import AnswerRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables, Unit, nothing
from llmaas_server.storage.values import Payer

from .clock import MINUTE, Clock
from .recording import Recording

KEEP = 10 * MINUTE
MOST_BYTES = 8 << 20
"""Larger answers are not kept; sent again, such a request is refused rather than billed twice."""

Digest = Callable[[bytes], bytes]


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()


_FORM = re.compile(r"[\x21-\x7e]{1,255}")


class Vault(Protocol):
    """Encrypts with the data key of an account. `context` binds a secret to its place."""

    async def seal(self, account_id: str, context: bytes, plain: bytes) -> bytes: ...

    async def unseal(self, account_id: str, context: bytes, sealed: bytes) -> bytes: ...


class Keeper(Protocol):
    """Given to the one who makes an answer."""

    async def keep(self, call_id: str, last: bytes) -> Unit[None]:
        """The unit of work that keeps the answer, with `last` as its last piece.

        It belongs into the transaction that settles the call; after that `last` may leave.
        """


Make = Callable[[Keeper], AsyncGenerator[bytes]]
"""Makes an answer, piece by piece; what the pieces are is the caller's matter."""


class Answers(Protocol):
    """Gives answers to requests, made now or before."""

    def answer(
        self, payer: Payer, token: str | None, request: bytes, make: Make
    ) -> AsyncGenerator[bytes]:
        """The pieces of the answer to `request`, which is all that says what is asked.

        `token` is the `Idempotency-Key`. Raises Problem `conflict`, `invalid_request`, and what
        `make` raises.
        """

    async def purge(self) -> int:
        """Remove answers whose time is over; how many. For every minute or so."""

    async def close(self) -> None:
        """Stop what runs for nobody's own task, and wait until it has settled."""


class Unkept:
    """Answers every request anew: where idempotency is turned off."""

    def answer(
        self, payer: Payer, token: str | None, request: bytes, make: Make
    ) -> AsyncGenerator[bytes]:
        return make(self)

    async def keep(self, call_id: str, last: bytes) -> Unit[None]:
        return nothing

    async def purge(self) -> int:
        return 0

    async def close(self) -> None:
        return


@dataclass(frozen=True, slots=True)
class _Slot:
    """What an answer is kept under."""

    payer: Payer
    token: bytes
    """A hash: an Idempotency-Key may say something."""

    @property
    def context(self) -> bytes:
        return b"answers|" + self.payer.key_id.encode() + b"|" + self.token


@dataclass(slots=True)
class _Run:
    """One request that is being answered."""

    request: bytes
    recording: Recording
    task: asyncio.Task[None]
    is_stopping: bool = False


class Idempotency:
    """Answers every request once; those without an `Idempotency-Key` each time."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        clock: Clock,
        *,
        keep: int = KEEP,
        most_bytes: int = MOST_BYTES,
        digest: Digest = sha256,
    ) -> None:
        """`keep` is how long answers are kept, in microseconds; `digest` what keys and requests
        are kept as: a keyed hash does not tell one who guesses a request that he is right.
        """
        self._database = database
        self._vault = vault
        self._clock = clock
        self._keep = keep
        self._most_bytes = most_bytes
        self._digest = digest
        self._runs: dict[_Slot, _Run] = {}

    async def answer(
        self, payer: Payer, token: str | None, request: bytes, make: Make
    ) -> AsyncGenerator[bytes]:
        """See `Answers.answer`."""
        if token is None:
            source = make(Unkept())
        else:
            _check(token)
            slot = _Slot(payer, self._digest(token.encode()))
            await self._stopped(slot)
            source = self._run(slot, self._digest(request), make).recording.read()
        async with aclosing(source) as pieces:
            async for piece in pieces:
                yield piece

    async def purge(self) -> int:
        now = self._clock()
        return await self._database.write(lambda tables: tables.answers.purge(now))

    async def close(self) -> None:
        tasks = [run.task for run in self._runs.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _run(self, slot: _Slot, request: bytes, make: Make) -> _Run:
        """The run that answers this request: the one there is, or a new one."""
        if run := self._runs.get(slot):
            if run.request != request:
                raise _conflict("is being used for another request")
            return run
        recording = Recording(lambda: self._stop(slot))
        task = asyncio.create_task(self._record(slot, request, recording, make))
        task.add_done_callback(lambda _: self._end(slot))
        run = self._runs[slot] = _Run(request, recording, task)
        return run

    async def _stopped(self, slot: _Slot) -> None:
        """Wait for a run that nobody wanted any more: it may have been billed at the last moment,
        and then its answer is kept.
        """
        while (run := self._runs.get(slot)) and run.is_stopping:
            await asyncio.wait({run.task})

    def _stop(self, slot: _Slot) -> None:
        run = self._runs[slot]
        run.is_stopping = True
        run.task.cancel()

    def _end(self, slot: _Slot) -> None:
        run = self._runs.pop(slot)
        run.recording.end(Problem("cancelled"))  # no effect where it has ended

    async def _record(self, slot: _Slot, request: bytes, recording: Recording, make: Make) -> None:
        """Fill the recording: with the answer that was kept, or with a new one."""
        try:
            kept = await self._find(slot, request)
            if kept is not None:
                for piece in kept:
                    recording.add(piece)
            else:
                keeper = _Keeper(self, slot, request, recording)
                async with aclosing(make(keeper)) as pieces:
                    async for piece in pieces:
                        recording.add(piece)
            recording.end()
        except Exception as error:
            recording.end(error)

    async def _find(self, slot: _Slot, request: bytes) -> list[bytes] | None:
        key_id, now = slot.payer.key_id, self._clock()
        row = await self._database.read(lambda tables: tables.answers.get(key_id, slot.token))
        if row is None or row.expires_at <= now:
            return None
        if row.request != request:
            raise _conflict("was used for another request")
        if row.sealed is None:
            raise _conflict(
                f"was used for this request: call {row.call_id} answered it and was billed, "
                "and its answer was too large to be kept"
            )
        plain = await self._vault.unseal(slot.payer.account_id, slot.context, row.sealed)
        return msgspec.msgpack.decode(plain, type=list[bytes])

    async def keep(
        self, slot: _Slot, request: bytes, call_id: str, pieces: tuple[bytes, ...]
    ) -> Unit[None]:
        """See `Keeper.keep`."""
        sealed = None
        if sum(map(len, pieces)) <= self._most_bytes:
            plain = msgspec.msgpack.encode(pieces)
            sealed = await self._vault.seal(slot.payer.account_id, slot.context, plain)
        row = AnswerRow(
            key_id=slot.payer.key_id,
            token=slot.token,
            request=request,
            call_id=call_id,
            sealed=sealed,
            expires_at=self._clock() + self._keep,
        )

        def unit(tables: Tables) -> None:
            tables.answers.keep(row)

        return unit


@dataclass(frozen=True, slots=True)
class _Keeper:
    answers: Idempotency
    slot: _Slot
    request: bytes
    recording: Recording

    async def keep(self, call_id: str, last: bytes) -> Unit[None]:
        pieces = (*self.recording.pieces, last)
        return await self.answers.keep(self.slot, self.request, call_id, pieces)


def _check(token: str) -> None:
    if not _FORM.fullmatch(token):
        raise Problem(
            "invalid_request",
            "the Idempotency-Key is not 1 to 255 visible ASCII characters",
            hint="Send a random one for each request, such as a UUID.",
            param="idempotency-key",
        )


def _conflict(how: str) -> Problem:
    return Problem(
        "conflict",
        f"this Idempotency-Key {how}",
        hint="Send a new Idempotency-Key with each new request.",
        param="idempotency-key",
    )
