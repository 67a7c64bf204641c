"""`/v1/residents`: models into memory and out of it; and off the disk."""

from __future__ import annotations

from llmaas_client.wire.models import ModelInfo
from llmaas_client.wire.pulls import RemovedModel, ResidentRequest, Unloaded
from llmaas_server.gateway.access import management
from llmaas_server.gateway.residents import Residents

from .endpoint import Endpoint
from .managing import Asked, Desk
from .models import ListModels

PATH = "/v1/residents"


class ResidentDesk:
    """What each request means to the service."""

    def __init__(self, residents: Residents, listing: ListModels) -> None:
        self._residents = residents
        self._listing = listing

    async def load(self, asked: Asked[ResidentRequest]) -> ModelInfo:
        """Answered when the model is in memory."""
        name = asked.body.model
        await self._residents.load(asked.actor, name)
        return await self._listing.show(name)

    async def unload(self, asked: Asked[None]) -> Unloaded:
        """Answered when the memory is free."""
        await self._residents.unload(asked.actor, asked.id)
        return Unloaded(id=asked.id)

    async def remove(self, asked: Asked[None]) -> RemovedModel:
        await self._residents.remove(asked.actor, asked.id)
        return RemovedModel(id=asked.id)


def endpoints(residents: Residents, listing: ListModels, desk: Desk) -> list[Endpoint]:
    work, access = ResidentDesk(residents, listing), management("models:write")
    return [
        desk.endpoint(
            "POST",
            PATH,
            "Load a model into memory",
            work.load,
            access,
            ModelInfo,
            body=ResidentRequest,
            errors=(
                "model_not_found",
                "model_not_pulled",
                "model_broken",
                "out_of_memory",
                "starting",
                "shutting_down",
                "worker_lost",
            ),
        ),
        desk.endpoint(
            "DELETE",
            f"{PATH}/{{id:path}}",
            "Take a model out of memory; calls that use it end first",
            work.unload,
            access,
            Unloaded,
            errors=("model_not_found", "shutting_down"),
        ),
        desk.endpoint(
            "DELETE",
            "/v1/models/{id:path}",
            "Delete the files of a model that no call uses",
            work.remove,
            access,
            RemovedModel,
            errors=("model_not_found", "model_not_pulled", "conflict"),
        ),
    ]
