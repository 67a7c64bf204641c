"""Whether the server is there, and whether it can work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire.errors import ERRORS
from llmaas_client.wire.models import Health
from llmaas_server.gateway.access import PUBLIC
from llmaas_server.seam.values import BackendStatus

from .endpoint import Endpoint


class HealthChecks:
    """Public, so one bit and the version: nothing of what runs here."""

    def __init__(self, status: Callable[[], BackendStatus], version: str) -> None:
        self._status = status
        self._version = version

    async def live(self, request: Request) -> Response:
        """The front answers."""
        return self._respond("ok")

    async def ready(self, request: Request) -> Response:
        """The worker is there, and makes progress wherever there is work."""
        return self._respond("ok" if self._status().ready else "starting")

    def _respond(self, status: Literal["ok", "starting"]) -> Response:
        body = Health(status=status, version=self._version).model_dump_json()
        response = Response(body, media_type="application/json")
        response.headers["cache-control"] = "no-store"
        if status != "ok":
            response.status_code = ERRORS[status].status
        return response


def endpoints(status: Callable[[], BackendStatus], version: str) -> list[Endpoint]:
    checks = HealthChecks(status, version)
    return [
        Endpoint("GET", "/health/live", "Is the server there?", checks.live, PUBLIC, Health),
        Endpoint(
            "GET",
            "/health/ready",
            "Can the server work?",
            checks.ready,
            PUBLIC,
            Health,
            others={"starting": Health},
        ),
    ]
