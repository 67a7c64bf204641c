"""`/v1/keys`: made, shown once, listed, changed, rotated, revoked."""

from __future__ import annotations

from llmaas_client.wire.keys import CreatedKey, Key, KeyCreate, KeyList, KeyRotate, KeyUpdate
from llmaas_server.gateway.access import management
from llmaas_server.gateway.keys import Keys

from .applications import OF_ACCOUNT
from .endpoint import Endpoint, Parameter
from .managing import Asked, Desk

PATH = "/v1/keys"

OF_APPLICATION = Parameter("application_id", "Only keys of this application.")


class KeyDesk:
    """What each request means to the service."""

    def __init__(self, keys: Keys) -> None:
        self._keys = keys

    async def list(self, asked: Asked[None]) -> KeyList:
        query = asked.query
        return await self._keys.list(
            asked.actor, query.get("account_id"), query.get("application_id")
        )

    async def create(self, asked: Asked[KeyCreate]) -> CreatedKey:
        return await self._keys.create(asked.actor, asked.body)

    async def show(self, asked: Asked[None]) -> Key:
        return await self._keys.show(asked.actor, asked.id)

    async def update(self, asked: Asked[KeyUpdate]) -> Key:
        return await self._keys.update(asked.actor, asked.id, asked.body)

    async def rotate(self, asked: Asked[KeyRotate]) -> CreatedKey:
        return await self._keys.rotate(asked.actor, asked.id, asked.body)

    async def revoke(self, asked: Asked[None]) -> Key:
        return await self._keys.revoke(asked.actor, asked.id)


def endpoints(keys: Keys, desk: Desk) -> list[Endpoint]:
    key = KeyDesk(keys)
    one = f"{PATH}/{{id}}"
    read, write = management("keys:read"), management("keys:write")
    return [
        desk.endpoint(
            "GET",
            PATH,
            "List the keys of an account or an application",
            key.list,
            read,
            KeyList,
            query=(OF_ACCOUNT, OF_APPLICATION),
            errors=("not_found",),
        ),
        desk.endpoint(
            "POST",
            PATH,
            "Make a key; its secret is shown this once",
            key.create,
            write,
            CreatedKey,
            body=KeyCreate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint("GET", one, "Show a key", key.show, read, Key, errors=("not_found",)),
        desk.endpoint(
            "PATCH",
            one,
            "Change a key",
            key.update,
            write,
            Key,
            body=KeyUpdate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint(
            "POST",
            f"{one}/rotate",
            "Make the key that follows this one",
            key.rotate,
            write,
            CreatedKey,
            body=KeyRotate,
            errors=("not_found", "conflict"),
        ),
        desk.endpoint(
            "DELETE",
            one,
            "Revoke a key, and end what runs for it",
            key.revoke,
            write,
            Key,
            errors=("not_found",),
        ),
    ]
