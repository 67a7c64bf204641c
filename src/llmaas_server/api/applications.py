"""`/v1/applications`: what accounts use the service for."""

from __future__ import annotations

from llmaas_client.wire.applications import (
    Application,
    ApplicationCreate,
    ApplicationList,
    ApplicationUpdate,
)
from llmaas_server.gateway.access import management
from llmaas_server.gateway.applications import Applications

from .endpoint import Endpoint, Parameter
from .managing import Asked, Desk

PATH = "/v1/applications"

OF_ACCOUNT = Parameter("account_id", "The account; that of the key without it.")


class ApplicationDesk:
    """What each request means to the service."""

    def __init__(self, applications: Applications) -> None:
        self._applications = applications

    async def list(self, asked: Asked[None]) -> ApplicationList:
        return await self._applications.list(asked.actor, asked.query.get("account_id"))

    async def create(self, asked: Asked[ApplicationCreate]) -> Application:
        return await self._applications.create(asked.actor, asked.body)

    async def show(self, asked: Asked[None]) -> Application:
        return await self._applications.show(asked.actor, asked.id)

    async def update(self, asked: Asked[ApplicationUpdate]) -> Application:
        return await self._applications.update(asked.actor, asked.id, asked.body)

    async def close(self, asked: Asked[None]) -> Application:
        return await self._applications.close(asked.actor, asked.id)


def endpoints(applications: Applications, desk: Desk) -> list[Endpoint]:
    application = ApplicationDesk(applications)
    one = f"{PATH}/{{id}}"
    read, write = management("applications:read"), management("applications:write")
    return [
        desk.endpoint(
            "GET",
            PATH,
            "List the applications of an account",
            application.list,
            read,
            ApplicationList,
            query=(OF_ACCOUNT,),
            errors=("not_found",),
        ),
        desk.endpoint(
            "POST",
            PATH,
            "Make an application",
            application.create,
            write,
            Application,
            body=ApplicationCreate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint(
            "GET",
            one,
            "Show an application",
            application.show,
            read,
            Application,
            errors=("not_found",),
        ),
        desk.endpoint(
            "PATCH",
            one,
            "Change an application",
            application.update,
            write,
            Application,
            body=ApplicationUpdate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint(
            "DELETE",
            one,
            "Close an application, and revoke its keys",
            application.close,
            write,
            Application,
            errors=("not_found",),
        ),
    ]
