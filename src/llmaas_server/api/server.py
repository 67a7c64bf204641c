"""`GET /v1/server`: how the server is."""

from __future__ import annotations

from llmaas_client.wire.server import ServerFigures
from llmaas_server.gateway.access import management
from llmaas_server.gateway.figures import Figures

from .endpoint import Endpoint
from .managing import Asked, Desk

PATH = "/v1/server"


class ServerDesk:
    """What the request means to the service."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    async def show(self, asked: Asked[None]) -> ServerFigures:
        return self._figures.read()


def endpoint(figures: Figures, desk: Desk) -> Endpoint:
    return desk.endpoint(
        "GET",
        PATH,
        "Show how the server is: what waits, what runs, what was done",
        ServerDesk(figures).show,
        management("metrics:read"),
        ServerFigures,
    )
