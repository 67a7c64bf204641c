"""One model in memory, and who needs it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from llmaas_server.seam.lanes import LaneWork
from llmaas_server.seam.values import ModelKind

from .clock import Alarm
from .interface import Model
from .lane import Lane
from .memory import Holding, Size

LANES: dict[ModelKind, str] = {
    "decoder": "generate",
    "encoder": "encode",
    "classifier": "encode",
    "seq2seq": "seq2seq",
}
"""The lane of a model, as people are told; a twin's is that of its model."""


@dataclass(slots=True)
class Resident:
    """A model in memory, and who needs it."""

    model: Model
    key: int
    """Of its lane in the step loop."""
    lane: Lane
    promised: Size
    """What it was estimated to take at most."""
    used: float
    """When it was last needed."""
    calls: int = 0
    """That hold it from their first job to their last."""
    jobs: int = 0
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    alarm: Alarm | None = None
    """Goes off when it has been idle for too long."""
    leaving: asyncio.Task[None] | None = None
    """Ends when it is gone."""

    @property
    def size(self) -> Size:
        """What it takes now; as kernels take over, its weights change."""
        weights = self.lane.weight_bytes
        return self.promised if weights is None else Size(weights, self.promised.kv)

    @property
    def work(self) -> LaneWork:
        """What its lane has done."""
        ref = self.model.ref
        return self.lane.meter.read(ref.name, LANES[ref.kind])

    @property
    def in_use(self) -> bool:
        return bool(self.calls or self.jobs)

    def quiet(self) -> None:
        """It is needed: it does not go for having been idle."""
        if self.alarm is not None:
            self.alarm.cancel()
            self.alarm = None

    def holding(self, *, free: bool) -> Holding:
        return Holding(self.model.ref.name, self.size, self.used, free)
