"""How the server is, for the one who runs it: of the backend, the door and the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmaas_client.wire.server import LaneFigures, ServerFigures
from llmaas_server.seam.lanes import LaneWork
from llmaas_server.seam.values import BackendStatus, ModelStatus

from .gate import Gate
from .metrics import Metrics


@dataclass(frozen=True)
class Figures:
    """Reads them; nothing is kept."""

    version: str
    status: Callable[[], BackendStatus]
    gate: Gate
    metrics: Metrics
    clock: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "began", self.clock())

    def read(self) -> ServerFigures:
        status = self.status()
        return ServerFigures(
            version=self.version,
            status="ok" if status.ready else "starting",
            detail=status.detail,
            uptime_seconds=self.clock() - self.began,
            queue=self.gate.inside,
            queue_limit=self.gate.most,
            running=status.running,
            restarts=status.restarts,
            memory_bytes=sum(model.bytes + model.kv_bytes for model in status.models),
            memory_limit=status.memory_bytes or None,
            tasks=self.metrics.by_task(),
            lanes=_lanes(status),
        )


def _lanes(status: BackendStatus) -> list[LaneFigures]:
    """Of the models in memory."""
    done = {(work.model, work.lane): work for work in status.work}
    return [
        _lane(model, done.get((model.name, model.lane), LaneWork(model.name, model.lane)))
        for model in status.models
        if model.state == "resident"
    ]


def _lane(model: ModelStatus, done: LaneWork) -> LaneFigures:
    steps = done.step_seconds.count
    return LaneFigures(
        model=model.name,
        lane=model.lane,
        running=model.now.running,
        waiting=model.now.waiting,
        steps=steps,
        batch_size=done.batch_sizes.sum / steps if steps else None,
        prefill_tokens=done.prefill_tokens,
        decode_tokens=done.decode_tokens,
        prefix_queries=done.prefix_queries,
        prefix_hits=done.prefix_hits,
        preemptions=done.preemptions,
        kv_used_bytes=model.now.kv_used_bytes,
        kv_limit_bytes=model.now.kv_limit_bytes,
    )
