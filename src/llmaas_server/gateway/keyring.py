"""The keys that callers show: found, proved, remembered, and forgotten the moment that they end.

A key that was seen before costs one keyed hash and no look at the database. Every other one, also
a known id with a wrong secret, costs the same look and the same hash, so that neither answer nor
time tells what exists; how often an address may cause that is bounded. What has not the form of a
key costs nothing.

What is remembered is loaded here alone, and only as it was after the last change: `change` does a
unit of work, forgets whom it concerns, and ends what runs for keys that are no longer good, before
it returns.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar
from weakref import WeakValueDictionary

from llmaas_server.errors import Problem
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables, Unit
from llmaas_server.storage.usage import DAY
from llmaas_server.storage.values import Owner

from .clock import SECOND, Clock
from .key_format import ParsedKey, parse
from .keychain import Keychain, Mac
from .known import Known, reading
from .leases import Lease, Leases
from .principals import Principal
from .strangers import Strangers, network_of

PURPOSE = "keys"
"""Of the keyed hashes that are kept of keys."""

MOST_REMEMBERED = 20_000
FRESH = 10 * SECOND
"""After so long a key is looked up again, in case somebody changed the database by other ways."""
NO_DIGEST = bytes(32)

T = TypeVar("T")


class KeyRing:
    """Identifies callers. One event loop uses it."""

    def __init__(
        self,
        database: Database,
        keychain: Keychain,
        clock: Clock,
        strangers: Strangers,
        most: int = MOST_REMEMBERED,
    ) -> None:
        self._database = database
        self._keychain = keychain
        self._clock = clock
        self._strangers = strangers
        self._most = most
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        """Key -> for as long as somebody looks it up."""
        self._used: dict[str, int] = {}
        """Key -> day of its use that is not written down yet."""
        self._changes = 0
        self.leases = Leases(clock)

    async def identify(self, authorization: str | None, address: str | None) -> Principal:
        """Who sent this `Authorization` header.

        Raises Problem `missing_key`, `invalid_key`, `rate_limited`.
        """
        scheme, _, given = (authorization or "").partition(" ")
        if not authorization or not given:
            raise Problem("missing_key")
        key = parse(given.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise Problem("invalid_key")
        known = self._known.get(key.id)
        if known is None or not self._proves(key, known.mac):
            known = await self._look_up(key, network_of(address), known)
        return await self._current(known)

    async def principal(self, key_id: str) -> Principal:
        """Of a key that is used without its secret, by a session of the console.

        Raises Problem `invalid_key` where it has ended.
        """
        return await self._current(self._known.get(key_id) or await self._good(key_id))

    @asynccontextmanager
    async def holding(self, principal: Principal) -> AsyncIterator[Lease]:
        """Work for a caller: it is stopped, with Problem `invalid_key`, when the key ends."""
        with self.leases.held(principal) as lease:
            known = self._known.get(principal.key_id)
            if known is None or known.principal is not principal:
                # Something may have changed since the caller was identified.
                (await self._good(principal.key_id)).check(self._clock())
            yield lease

    async def change(self, unit: Unit[T], *owners: Owner) -> T:
        """Do a unit of work that changes what the keys of some owners may do.

        Once it is committed every call sees it, and work of keys that it ended is stopped; both
        also where the one who asked for it has gone away in the meantime.
        """
        return await asyncio.shield(asyncio.ensure_future(self._change(unit, owners)))

    async def refresh(self) -> None:
        """Look whether keys that work runs for are still good; for every few seconds."""
        await self._cut(self.leases.keys())

    async def write_uses(self) -> None:
        """Write down which keys were used; for every minute or so, and at the end."""
        used, self._used = self._used, {}
        by_day: dict[int, list[str]] = {}
        for key_id, day in used.items():
            by_day.setdefault(day, []).append(key_id)
        if by_day:
            await self._database.write(_writing(by_day))

    async def _change(self, unit: Unit[T], owners: tuple[Owner, ...]) -> T:
        result = await self._database.write(unit)
        self._changes += 1
        for owner in owners:
            self._forget(owner)
        concerned: set[str] = set()
        for owner in owners:
            concerned |= self.leases.keys(owner)
        await self._cut(concerned)
        return result

    async def _cut(self, key_ids: set[str]) -> None:
        for key_id in key_ids:
            try:
                known = await self._good(key_id)
                known.check(self._clock())
                self.leases.renew(known.principal)
            except Problem as problem:
                # Also where the database cannot say so: who is not known to be good is not.
                self.leases.cut(key_id, problem)

    def _forget(self, owner: Owner) -> None:
        if owner.kind == "key":
            self._known.pop(owner.id, None)
            return
        gone = [key_id for key_id, known in self._known.items() if owner in known.principal.owners]
        for key_id in gone:
            del self._known[key_id]

    async def _look_up(self, key: ParsedKey, network: str, seen: Known | None) -> Known:
        """The key of one who is not remembered, or has no key at all.

        One at a time for a key: those who come with it at once are no strangers when the first
        of them turns out to be known. `seen` is what was remembered and does not fit.
        """
        async with self._turn(key.id):
            known = self._known.get(key.id)
            if known is not None and known is not seen and self._proves(key, known.mac):
                return known
            return await self._stranger(key, network)

    async def _current(self, known: Known) -> Principal:
        """Of a key that was proved: as it is now, and its use is noted. Raises Problem
        `invalid_key`."""
        now = self._clock()
        if known.loaded_at + FRESH <= now:
            known = await self._renewed(known)
        known.check(now)
        self._note_use(known, now)
        return known.principal

    async def _renewed(self, known: Known) -> Known:
        """What is known of the key now; many who ask at once cost one look."""
        key_id = known.principal.key_id
        async with self._turn(key_id):
            now = self._known.get(key_id)
            return await self._good(key_id) if now is None or now is known else now

    def _turn(self, key_id: str) -> asyncio.Lock:
        return self._turns.setdefault(key_id, asyncio.Lock())

    async def _stranger(self, key: ParsedKey, network: str) -> Known:
        self._strangers.take(network)
        known = await self._load(key.id)
        mac = Mac(self._keychain.version, NO_DIGEST) if known is None else known.mac
        if not self._proves(key, mac) or known is None:
            raise Problem("invalid_key")
        self._strangers.give_back(network)
        return known

    def _proves(self, key: ParsedKey, mac: Mac) -> bool:
        return self._keychain.check(PURPOSE, key.text.encode(), mac)

    async def _good(self, key_id: str) -> Known:
        known = await self._load(key_id)
        if known is None:
            raise Problem("invalid_key")
        return known

    async def _load(self, key_id: str) -> Known | None:
        """The key as it is in the database, remembered from now on."""
        while True:
            changes = self._changes
            known = await self._database.read(reading(key_id, self._clock()))
            if self._changes == changes:
                break
        if known is not None:
            self._known[key_id] = known
            self._known.move_to_end(key_id)
            if len(self._known) > self._most:
                self._known.popitem(last=False)
        return known

    def _note_use(self, known: Known, now: int) -> None:
        key_id, day = known.principal.key_id, now // DAY
        if known.used_day < day and self._used.get(key_id, -1) < day:
            self._used[key_id] = day


def _writing(by_day: dict[int, list[str]]) -> Unit[None]:
    def unit(tables: Tables) -> None:
        for day, ids in by_day.items():
            tables.keys.used(ids, day)

    return unit
