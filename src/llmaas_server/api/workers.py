"""`/v1/workers`: the processes that compute, added and drained while the server serves."""

from __future__ import annotations

from llmaas_client.wire.workers import WorkerInfo, WorkerList, WorkerRequest
from llmaas_server.gateway.access import management
from llmaas_server.gateway.staff import Staff
from llmaas_server.seam.values import WorkerStatus

from .endpoint import Endpoint
from .managing import Asked, Desk

PATH = "/v1/workers"


class WorkerDesk:
    """What each request means to the service."""

    def __init__(self, staff: Staff) -> None:
        self._staff = staff

    async def list(self, asked: Asked[None]) -> WorkerList:
        return WorkerList(workers=[_describe(one) for one in self._staff.workers()])

    async def add(self, asked: Asked[WorkerRequest]) -> WorkerInfo:
        """Answered at once; the worker is ready some seconds later."""
        wanted = asked.body
        return _describe(await self._staff.add(asked.actor, wanted.device, wanted.threads))

    async def drain(self, asked: Asked[None]) -> WorkerInfo:
        """Answered at once; the worker ends with its last call."""
        return _describe(await self._staff.drain(asked.actor, asked.scope["path_params"]["name"]))


def _describe(worker: WorkerStatus) -> WorkerInfo:
    return WorkerInfo(
        name=worker.name,
        device=worker.device,
        threads=worker.threads,
        state=worker.state,
        running=worker.running,
        restarts=worker.restarts,
        models=[model.name for model in worker.models if model.state == "resident"],
        detail=worker.detail,
    )


def endpoints(staff: Staff, desk: Desk) -> list[Endpoint]:
    worker = WorkerDesk(staff)
    return [
        desk.endpoint(
            "GET", PATH, "List the workers", worker.list, management("workers:read"), WorkerList
        ),
        desk.endpoint(
            "POST",
            PATH,
            "Add a worker",
            worker.add,
            management("workers:write"),
            WorkerInfo,
            body=WorkerRequest,
            errors=("conflict", "shutting_down"),
        ),
        desk.endpoint(
            "DELETE",
            f"{PATH}/{{name}}",
            "Drain a worker: it ends with its last call",
            worker.drain,
            management("workers:write"),
            WorkerInfo,
            errors=("not_found", "conflict"),
        ),
    ]
