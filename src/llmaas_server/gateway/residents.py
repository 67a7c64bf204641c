"""Models into memory, out of it, and off the disk: each change is in the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Backend
from llmaas_server.seam.values import ModelRef, ModelStatus
from llmaas_server.storage.database import Database

from .principals import Actor
from .pulls import Pulls, Source
from .trail import Entry, Trail


class Shelf(Protocol):
    """Finds the files of a model. Raises Problem `model_not_found`, `model_not_pulled`."""

    def ref(self, name: str) -> ModelRef: ...


class Residents:
    """What the operator does with models that are here."""

    def __init__(
        self,
        shelf: Shelf,
        source: Source,
        pulls: Pulls,
        backend: Backend,
        database: Database,
        trail: Trail,
    ) -> None:
        self._shelf = shelf
        self._source = source
        self._pulls = pulls
        self._backend = backend
        self._database = database
        self._trail = trail

    async def load(self, actor: Actor, name: str) -> None:
        """Returns when the model is in memory. Raises Problem where it cannot be: it is not here,
        there is no room, its files are damaged.
        """
        ref = await asyncio.to_thread(self._shelf.ref, name)
        await self._do(actor.entry("models.load", name, None), lambda: self._backend.load(ref))

    async def unload(self, actor: Actor, name: str) -> None:
        """Returns when the memory is free: calls that use the model end first.

        Raises Problem `model_not_found` where it is not in memory.
        """
        if self._held(name) is None:
            held = ", ".join(one.name for one in self._backend.status().models) or "none"
            raise Problem("model_not_found", f"{name!r} is not in memory; those that are: {held}")
        await self._do(actor.entry("models.unload", name, None), lambda: self._backend.unload(name))

    async def remove(self, actor: Actor, name: str) -> None:
        """Delete the model's files. Raises Problem `conflict` where it is in use, loads or is on
        its way here; `model_not_found`, `model_not_pulled`.
        """
        held = self._held(name)
        if held is not None and (held.in_use or held.state == "loading"):
            doing = "serves requests" if held.in_use else "is being loaded"
            raise Problem(
                "conflict",
                f"{name} {doing} now",
                hint="Ask again when it is idle.",
            )
        if self._pulls.is_coming(name):
            raise Problem(
                "conflict", f"{name} is on its way here", hint="Wait for its end: GET /v1/pulls."
            )
        await self._do(actor.entry("models.remove", name, None), lambda: self._remove(name, held))

    async def _remove(self, name: str, held: ModelStatus | None) -> None:
        if held is not None:
            await self._backend.unload(name)
        await asyncio.to_thread(self._source.remove, name)

    def _held(self, name: str) -> ModelStatus | None:
        return next((one for one in self._backend.status().models if one.name == name), None)

    async def _do(self, entry: Entry, work: Callable[[], Awaitable[None]]) -> None:
        await self._tell(entry)
        try:
            await work()
        except Problem as problem:
            await self._tell(replace(entry, outcome="refused", detail={"code": problem.code}))
            raise

    async def _tell(self, entry: Entry) -> None:
        await self._database.write(lambda tables: self._trail.add(tables, entry))
