"""`/v1/pulls`: models that come to this machine in the background."""

from __future__ import annotations

from llmaas_client.wire.pulls import Pull, PullList, PullRequest
from llmaas_server.gateway.access import management
from llmaas_server.gateway.pulls import Pulls

from .endpoint import Endpoint
from .managing import Asked, Desk

PATH = "/v1/pulls"


class PullDesk:
    """What each request means to the service."""

    def __init__(self, pulls: Pulls) -> None:
        self._pulls = pulls

    async def list(self, asked: Asked[None]) -> PullList:
        return PullList(pulls=self._pulls.list())

    async def begin(self, asked: Asked[PullRequest]) -> Pull:
        """Answered at once; the list tells how far it has come."""
        return await self._pulls.begin(asked.actor, asked.body.model, asked.body.name)


def endpoints(pulls: Pulls, desk: Desk) -> list[Endpoint]:
    work, access = PullDesk(pulls), management("models:write")
    return [
        desk.endpoint(
            "GET", PATH, "List the models on their way to this machine", work.list, access, PullList
        ),
        desk.endpoint(
            "POST",
            PATH,
            "Bring a model to this machine, in the background",
            work.begin,
            access,
            Pull,
            body=PullRequest,
            errors=("overloaded",),
        ),
    ]
