"""`/v1/audit`: what was changed, and who was refused."""

from __future__ import annotations

from llmaas_client.wire.audit import AuditList, AuditReport
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import management
from llmaas_server.gateway.trail_reader import TrailReader

from .applications import OF_ACCOUNT
from .endpoint import Endpoint
from .managing import Asked, Desk
from .paging import limit_of, number_of, numbers, parameters

PATH = "/v1/audit"
PAGE = 100
MOST_IN_PAGE = 1000
MOST_ROWS = 10**18 - 1


class AuditDesk:
    """What each request means to the service."""

    def __init__(self, reader: TrailReader) -> None:
        self._reader = reader

    async def list(self, asked: Asked[None]) -> AuditList:
        query = asked.query
        after = number_of(query, "after", 0, least=0, most=MOST_ROWS)
        limit = limit_of(query, PAGE, MOST_IN_PAGE)
        return await self._reader.page(asked.actor, query.get("account_id"), after, limit)

    async def verify(self, asked: Asked[None]) -> AuditReport:
        if not asked.actor.is_operator:
            raise Problem("not_allowed", "the whole trail is verified by the operator alone")
        return await self._reader.verify()


def endpoints(reader: TrailReader, desk: Desk) -> list[Endpoint]:
    audit = AuditDesk(reader)
    read = management("audit:read")
    return [
        desk.endpoint(
            "GET",
            PATH,
            "List the audit trail of the account; an operator's key sees all accounts",
            audit.list,
            read,
            AuditList,
            query=(*parameters("rows", PAGE, MOST_IN_PAGE, numbers(MOST_ROWS)), OF_ACCOUNT),
            errors=("not_found",),
        ),
        desk.endpoint(
            "GET",
            f"{PATH}/verification",
            "Verify the whole audit trail, and the ledger under its digests",
            audit.verify,
            read,
            AuditReport,
        ),
    ]
