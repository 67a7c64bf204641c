"""Changes that are made outside the database, told to the audit trail when they are noticed.

Settings are changed in a file and take effect at a start; models are pulled and removed by commands
that work without a server. So the server compares what it finds with what it found the last time,
which is the detail of the newest row of its kind, and writes down what became different.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping

import msgspec

from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .trail import Entry, Trail

Look = Callable[[], Mapping[str, str]]
"""What there is: name -> what identifies its state. May block."""

MOST_OF_A_TARGET = 200
EVERYTHING = "all"
"""The target of the first row of a kind."""


class Inventory:
    """One kind of things, such as `models`."""

    def __init__(self, database: Database, trail: Trail, kind: str, look: Look) -> None:
        self._database = database
        self._trail = trail
        self._action = f"{kind}.change"
        self._look = look
        self._told: dict[str, str] | None = None
        """What the trail knows; None until it was read."""

    async def check(self) -> bool:
        """Tell the trail what is different; whether something was. For every minute or so."""
        found = dict(await asyncio.to_thread(self._look))
        if self._told is None:
            self._told = await self._database.read(self._read)
        if found == (self._told or {}):
            return False
        entry = self._entry(self._told or {}, found)
        await self._database.write(lambda tables: self._trail.add(tables, entry))
        self._told = found
        return True

    def _entry(self, before: Mapping[str, str], now: Mapping[str, str]) -> Entry:
        names = sorted(before.keys() | now.keys())
        changed = [name for name in names if before.get(name) != now.get(name)]
        return Entry(
            "operator",
            "local",
            self._action,
            ", ".join(changed)[:MOST_OF_A_TARGET] if before else EVERYTHING,
            detail={"now": now, "before": {name: before.get(name) for name in changed}},
        )

    def _read(self, tables: Tables) -> dict[str, str] | None:
        row = tables.audit.newest(self._action)
        detail = None if row is None else self._trail.detail(tables, row)
        now = None if detail is None else detail.get("now")
        return None if now is None else msgspec.convert(now, dict[str, str])


def fingerprint(content: object) -> str:
    """Equal for equal content; short."""
    return hashlib.sha256(msgspec.json.encode(content, order="sorted")).hexdigest()[:16]
