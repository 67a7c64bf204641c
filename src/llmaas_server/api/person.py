"""`/v1/accounts/{id}`, taken away as a document, or erased: the data of a person is theirs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

from starlette.types import Receive, Scope, Send

from llmaas_client.wire.accounts import AccountExport, Erased
from llmaas_server.gateway.access import management
from llmaas_server.gateway.erasure import Erasure
from llmaas_server.gateway.export import Export

from .accounts import PATH
from .door import actor_of
from .endpoint import Endpoint
from .exchange import Exchange
from .managing import Asked, Desk


class ExportAccount:
    """`GET /v1/accounts/{id}/export`: as much as there is, piece by piece."""

    def __init__(self, export: Export) -> None:
        self._export = export

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["id"]
        async with aclosing(self._export.account(actor_of(scope), name)) as pieces:
            first = await anext(pieces)  # what is refused keeps its status
            await _download(Exchange(scope, receive, send), name, first, pieces)


class EraseAccount:
    def __init__(self, erasure: Erasure) -> None:
        self._erasure = erasure

    async def erase(self, asked: Asked[None]) -> Erased:
        return Erased(id=await self._erasure.erase(asked.actor, asked.id))


async def _download(
    exchange: Exchange, name: str, first: bytes, rest: AsyncIterator[bytes]
) -> None:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-disposition", f'attachment; filename="{name}.json"'.encode()),
        (b"cache-control", b"no-store"),
    ]
    await exchange.send({"type": "http.response.start", "status": 200, "headers": headers})
    await exchange.send({"type": "http.response.body", "body": first, "more_body": True})
    async for piece in rest:
        await exchange.send({"type": "http.response.body", "body": piece, "more_body": True})
    await exchange.send({"type": "http.response.body", "body": b""})


def endpoints(export: Export, erasure: Erasure, desk: Desk) -> list[Endpoint]:
    one = f"{PATH}/{{id}}"
    return [
        Endpoint(
            "GET",
            f"{one}/export",
            "Take away all that belongs to an account, as one JSON document",
            ExportAccount(export),
            management("records:read"),
            AccountExport,
            errors=("not_found", "storage_unavailable"),
        ),
        desk.endpoint(
            "DELETE",
            one,
            "Erase an account: its keys end, its data cannot be read any more",
            EraseAccount(erasure).erase,
            management("records:write"),
            Erased,
            errors=("not_found", "conflict"),
        ),
    ]
