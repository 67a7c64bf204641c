"""`GET /metrics`: what the server counts of itself, for Prometheus."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from llmaas_server.gateway.access import management
from llmaas_server.gateway.metrics import Metrics

from .endpoint import Endpoint

PATH = "/metrics"


class ShowMetrics:
    """The handler."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def answer(self, request: Request) -> Response:
        told, media_type = self._metrics.render(request.headers.get("accept", ""))
        return Response(told, headers={"content-type": media_type, "cache-control": "no-store"})


def endpoint(metrics: Metrics) -> Endpoint:
    return Endpoint(
        "GET",
        PATH,
        "What the server counts of itself, in Prometheus' text format",
        ShowMetrics(metrics).answer,
        access=management("metrics:read"),
        answer=None,
        texts=("text/plain", "application/openmetrics-text"),
    )
