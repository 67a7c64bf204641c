"""Workers as the operator manages them: each change is in the audit trail before it is made."""

from __future__ import annotations

from dataclasses import replace

from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Workers
from llmaas_server.seam.values import WorkerStatus
from llmaas_server.storage.database import Database

from .principals import Actor
from .trail import Entry, Trail


class Staff:
    """Adds and drains workers. They are not in the database: what is added ends with the server."""

    def __init__(self, workers: Workers, database: Database, trail: Trail) -> None:
        self._workers = workers
        self._database = database
        self._trail = trail

    def workers(self) -> list[WorkerStatus]:
        return self._workers.workers()

    async def add(self, actor: Actor, device: str, threads: int | None) -> WorkerStatus:
        """Raises Problem `conflict`, `shutting_down`, `storage_unavailable`."""
        entry = actor.entry("workers.add", device, None, {"threads": threads})
        await self._tell(entry)
        try:
            return await self._workers.add(device, threads)
        except Problem as problem:
            await self._tell(_refused(entry, problem))
            raise

    async def drain(self, actor: Actor, name: str) -> WorkerStatus:
        """Raises Problem `not_found`, `conflict`, `storage_unavailable`."""
        entry = actor.entry("workers.drain", name, None)
        await self._tell(entry)
        try:
            return self._workers.drain(name)
        except Problem as problem:
            await self._tell(_refused(entry, problem))
            raise

    async def _tell(self, entry: Entry) -> None:
        await self._database.write(lambda tables: self._trail.add(tables, entry))


def _refused(entry: Entry, problem: Problem) -> Entry:
    return replace(entry, outcome="refused", detail={"code": problem.code})
