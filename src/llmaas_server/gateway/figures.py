"""How the server is, for the one who runs it: of the backend, the door and the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from llmaas_client.wire.server import ServerFigures
from llmaas_server.seam.values import BackendStatus

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
        )
