"""`/v1/workers`: the processes that compute, added and drained while the server serves."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from llmaas_client.wire.workers import WorkerInfo, WorkerList, WorkerRequest
from llmaas_server.gateway.access import management
from llmaas_server.seam.backend import Workers
from llmaas_server.seam.values import WorkerStatus

from .body import parse
from .endpoint import Endpoint
from .exchange import Exchange

PATH = "/v1/workers"


class ListWorkers:
    """`GET /v1/workers`."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def answer(self, request: Request) -> Response:
        listed = WorkerList(workers=[_describe(one) for one in self._workers.workers()])
        return Response(listed.model_dump_json(), media_type="application/json")


class AddWorker:
    """`POST /v1/workers`: answered at once; the worker is ready some seconds later."""

    def __init__(self, workers: Workers, *, max_body_bytes: int) -> None:
        self._workers = workers
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        asked = parse(WorkerRequest, await exchange.body(self._max_body_bytes))
        added = await self._workers.add(asked.device, asked.threads)
        await exchange.send_json(_describe(added).model_dump_json().encode())


class DrainWorker:
    """`DELETE /v1/workers/{name}`: answered at once; the worker ends with its last call."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers

    async def answer(self, request: Request) -> Response:
        drained = self._workers.drain(request.path_params["name"])
        return Response(_describe(drained).model_dump_json(), media_type="application/json")


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


def endpoints(workers: Workers, *, max_body_bytes: int) -> list[Endpoint]:
    return [
        Endpoint(
            "GET",
            PATH,
            "List the workers",
            ListWorkers(workers).answer,
            management("workers:read"),
            WorkerList,
        ),
        Endpoint(
            "POST",
            PATH,
            "Add a worker",
            AddWorker(workers, max_body_bytes=max_body_bytes),
            management("workers:write"),
            answer=WorkerInfo,
            body=WorkerRequest,
            errors=(
                "invalid_json",
                "invalid_request",
                "body_too_large",
                "unsupported_media_type",
                "conflict",
                "shutting_down",
            ),
        ),
        Endpoint(
            "DELETE",
            f"{PATH}/{{name}}",
            "Drain a worker: it ends with its last call",
            DrainWorker(workers).answer,
            management("workers:write"),
            answer=WorkerInfo,
            errors=("not_found", "conflict"),
        ),
    ]
