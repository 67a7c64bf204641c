"""Several workers as one backend: the least loaded takes the next call; they come and go."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from itertools import count

import msgspec

from llmaas_server.errors import Problem
from llmaas_server.seam.backend import Backend, Tally
from llmaas_server.seam.lanes import LaneState, LaneWork, total
from llmaas_server.seam.values import (
    BackendStatus,
    Call,
    Event,
    Measurement,
    ModelRef,
    ModelStatus,
    WorkerStatus,
)

from .affinity import Affinity, prefix_key
from .choice import Candidate, choose
from .sharing import Share, Sharing

MOST_WORKERS = 64

Make = Callable[[str, Share], Backend]
"""A worker that is not started yet, for a device and what it may take of it."""


@dataclass(eq=False, slots=True)
class _Replica:
    name: str
    device: str
    threads: int | None
    backend: Backend
    calls: set[str] = field(default_factory=set)
    """Measured or running."""
    draining: bool = False

    def candidate(self, model: str) -> Candidate:
        status = self.backend.status()
        resident = any(one.name == model and one.state == "resident" for one in status.models)
        return Candidate(self.name, status.ready, len(self.calls), resident, status.restarts)

    def status(self) -> WorkerStatus:
        status = self.backend.status()
        return WorkerStatus(
            name=self.name,
            device=self.device,
            threads=self.threads,
            state="draining" if self.draining else "ready" if status.ready else "starting",
            running=len(self.calls),
            restarts=status.restarts,
            models=status.models,
            detail=status.detail,
        )


@dataclass(slots=True)
class _Open:
    """A call from the start of its measuring to its end."""

    replica: _Replica
    measured: bool = False


class Replicas:
    """See `seam.backend.Backend` and `seam.backend.Workers`.

    Each worker has a supervisor of its own: the calls of one that is lost end with `worker_lost`,
    those of the others go on. A name is never given twice.
    """

    def __init__(self, make: Make, devices: Sequence[str], sharing: Sharing) -> None:
        """One worker for each of `devices`."""
        self._make = make
        self._sharing = sharing
        self._numbers = count(1)
        self._replicas: dict[str, _Replica] = {}
        self._calls: dict[str, _Open] = {}
        self._affinity = Affinity()
        self._retiring: set[asyncio.Task[None]] = set()
        self._past_restarts = 0
        self._past_work: list[LaneWork] = []
        """Of workers that are gone, as are the restarts."""
        self._stopping = False
        for number, device in enumerate(devices):
            others = [*devices[:number], *devices[number + 1 :]]
            self._join(device, sharing.of(device, others))

    # --- calls ----------------------------------------------------------------------------------

    async def start(self) -> None:
        for replica in self._replicas.values():
            await replica.backend.start()

    async def ready(self) -> None:
        """Of one worker: it takes the first calls."""
        waits = [asyncio.ensure_future(one.backend.ready()) for one in self._serving()]
        problem = Problem("shutting_down")
        try:
            for wait in asyncio.as_completed(waits):
                try:
                    return await wait
                except Problem as caught:
                    problem = caught
        finally:
            for waiting in waits:
                waiting.cancel()
        raise problem

    async def stop(self, grace: float) -> None:
        self._stopping = True
        await asyncio.gather(*(one.backend.stop(grace) for one in self._replicas.values()))
        await asyncio.gather(*self._retiring)

    async def measure(self, call: Call) -> Measurement:
        self._check_open()
        if call.id in self._calls:
            raise Problem("conflict", f"the call {call.id!r} is known already")
        replica = self._choose(call)
        opened = self._calls[call.id] = _Open(replica)
        replica.calls.add(call.id)
        try:
            measurement = await replica.backend.measure(call)
        except BaseException:
            self._close(call.id)
            raise
        opened.measured = True
        return measurement

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        opened = self._calls.get(call_id)
        if opened is None or not opened.measured:
            raise Problem("internal_error", f"the call {call_id!r} was not measured")
        opened.measured = False  # A call runs once.
        try:
            async with aclosing(opened.replica.backend.run(call_id, tally)) as events:
                async for event in events:
                    yield event
        finally:
            self._close(call_id)

    async def release(self, call_id: str) -> None:
        opened = self._calls.get(call_id)
        if opened and opened.measured:
            opened.measured = False
            try:
                await opened.replica.backend.release(call_id)
            finally:
                self._close(call_id)

    def _choose(self, call: Call) -> _Replica:
        key = prefix_key(call)
        candidates = [one.candidate(call.model.name) for one in self._serving()]
        chosen = choose(candidates, None if key is None else self._affinity.find(key))
        if key is not None:
            self._affinity.note(key, chosen)
        return self._replicas[chosen]

    def _close(self, call_id: str) -> None:
        replica = self._calls.pop(call_id).replica
        replica.calls.discard(call_id)
        self._retire_if_done(replica)

    # --- models ---------------------------------------------------------------------------------

    async def load(self, model: ModelRef) -> None:
        """Into every worker that serves; it is enough that one can hold it."""
        self._check_open()
        loads = [one.backend.load(model) for one in self._serving()]
        ends = await asyncio.gather(*loads, return_exceptions=True)
        errors = [end for end in ends if end is not None]
        if len(errors) == len(ends):
            raise errors[0]

    async def unload(self, name: str) -> None:
        """Out of every worker that is there: one that starts holds nothing."""
        self._check_open()
        ready = [one for one in self._replicas.values() if one.backend.status().ready]
        await asyncio.gather(*(one.backend.unload(name) for one in ready))

    def status(self) -> BackendStatus:
        """Of all workers together: ready where one that serves is."""
        statuses = [one.backend.status() for one in self._replicas.values()]
        ready = any(one.backend.status().ready for one in self._serving())
        details = [f"{one.name}: {told}" for one in self.workers() if (told := one.detail)]
        return BackendStatus(
            ready=ready and not self._stopping,
            models=merge([model for status in statuses for model in status.models]),
            running=len(self._calls),
            restarts=self._past_restarts + sum(status.restarts for status in statuses),
            detail="; ".join(details),
            memory_bytes=sum(status.memory_bytes for status in statuses),
            work=total([*self._past_work, *(one for status in statuses for one in status.work)]),
        )

    # --- workers --------------------------------------------------------------------------------

    def workers(self) -> list[WorkerStatus]:
        return [replica.status() for replica in self._replicas.values()]

    async def add(self, device: str, threads: int | None = None) -> WorkerStatus:
        self._check_open()
        if len(self._replicas) >= MOST_WORKERS:
            raise Problem(
                "conflict", f"there are {MOST_WORKERS} workers: drain one before you add another"
            )
        share = self._sharing.of(device, [one.device for one in self._serving()])
        replica = self._join(device, replace(share, threads=threads or share.threads))
        await replica.backend.start()
        return replica.status()

    def drain(self, name: str) -> WorkerStatus:
        replica = self._replicas.get(name)
        if replica is None:
            names = ", ".join(self._replicas)
            raise Problem("not_found", f"no worker is named {name!r}; there are: {names}")
        if self._serving() == [replica]:
            raise Problem(
                "conflict",
                f"{name} is the last worker that takes calls",
                hint="Add another worker first, or stop the server.",
            )
        replica.draining = True
        self._retire_if_done(replica)
        return replica.status()

    def _join(self, device: str, share: Share) -> _Replica:
        name = f"worker-{next(self._numbers)}"
        replica = _Replica(name, device, share.threads, self._make(device, share))
        self._replicas[name] = replica
        return replica

    def _retire_if_done(self, replica: _Replica) -> None:
        if replica.draining and not replica.calls and not self._stopping:
            task = asyncio.create_task(self._retire(replica), name=f"retire {replica.name}")
            self._retiring.add(task)
            task.add_done_callback(self._retiring.discard)

    async def _retire(self, replica: _Replica) -> None:
        await replica.backend.stop(0)
        if self._replicas.pop(replica.name, None):
            status = replica.backend.status()
            self._past_restarts += status.restarts
            self._past_work = total([*self._past_work, *status.work])

    def _serving(self) -> list[_Replica]:
        """Those that take calls; there is always one."""
        return [one for one in self._replicas.values() if not one.draining]

    def _check_open(self) -> None:
        if self._stopping:
            raise Problem("shutting_down")


def merge(models: Sequence[ModelStatus]) -> list[ModelStatus]:
    """One status for each name: resident where one worker holds it; memory is the sum."""
    by_name: dict[str, list[ModelStatus]] = {}
    for model in models:
        by_name.setdefault(model.name, []).append(model)
    return [_together(same) for same in by_name.values()]


def _together(same: Sequence[ModelStatus]) -> ModelStatus:
    """`same` is what each worker says of one model."""
    resident = [model for model in same if model.state == "resident"]
    furthest = max(resident or same, key=lambda model: model.progress)
    return msgspec.structs.replace(
        furthest,
        bytes=sum(model.bytes for model in same),
        replicas=len(resident or same),
        kv_bytes=sum(model.kv_bytes for model in same),
        in_use=any(model.in_use for model in same),
        now=sum((model.now for model in same), LaneState()),
        pinned=any(model.pinned for model in same),
        kernels=", ".join(sorted({model.kernels for model in same} - {""})),
    )
