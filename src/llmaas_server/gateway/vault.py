"""Secrets of accounts, encrypted: with a data key for each account, by AES-256-GCM.

    sealed = 1 | version of the key (4 bytes) | nonce (12 bytes) | ciphertext and tag

What is sealed is bound to its account and to a `context`, such as `users|usr_1|email`: in another
place it cannot be opened. When an account is erased, its data keys are destroyed, and all that they
sealed is lost, in backups made later too.

The secrets of the server itself have no account (None), and a key derived from the root key.
"""

from __future__ import annotations

import secrets
from dataclasses import replace

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from llmaas_server.errors import Problem
from llmaas_server.storage.data_keys import DataKeyRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .clock import Clock
from .kek import NONCE_BYTES, KeychainError
from .keychain import Keychain

FORMAT = b"\x01"
VERSION_BYTES = 4
_HEAD = len(FORMAT) + VERSION_BYTES
_TEXT = _HEAD + NONCE_BYTES


class Erased(Problem):
    """The account was erased, and its data key destroyed."""

    def __init__(self) -> None:
        super().__init__("not_found", "the account was erased")


class Sealer:
    """Seals and opens secrets inside units of work, and is committed with them."""

    def __init__(self, keychain: Keychain, clock: Clock) -> None:
        self._keychain = keychain
        self._clock = clock

    def seal_within(
        self, tables: Tables, account_id: str | None, context: bytes, plain: bytes
    ) -> bytes:
        """Seal for an account; with None for the server itself. Raises Erased."""
        if account_id is None:
            version = self._keychain.version
            return _seal(self._keychain.own_key(version), None, version, context, plain)
        keys = self._open(self._rows(tables, account_id))
        version = max(keys)
        return _seal(keys[version], account_id, version, context, plain)

    def unseal_within(
        self, tables: Tables, account_id: str | None, context: bytes, sealed: bytes
    ) -> bytes:
        """Raises Erased, KeychainError where it was changed or moved."""
        version = _version(sealed)
        if account_id is None:
            return _unseal(self._keychain.own_key(version), None, context, sealed)
        key = _of(version, self._open(tables.data_keys.of_account(account_id)))
        return _unseal(key, account_id, context, sealed)

    def is_current(self, tables: Tables, account_id: str, sealed: bytes) -> bool:
        """Whether the account's newest key sealed it."""
        return _version(sealed) == self._rows(tables, account_id)[-1].version

    def renew(self, tables: Tables, account_id: str) -> int:
        """Give the account a new data key for all that is sealed from now on; its version.

        Call `Vault.forget` once it is committed.
        """
        version = self._rows(tables, account_id)[-1].version + 1
        tables.data_keys.add(self._keychain.new_data_key(account_id, version, self._clock()))
        return version

    def destroy(self, tables: Tables, account_id: str) -> None:
        """Destroy the data keys of an account. Call `Vault.forget` once it is committed."""
        for row in self._rows(tables, account_id, erased=True):
            tables.data_keys.replace(replace(row, wrapped=None))

    def _rows(self, tables: Tables, account_id: str, *, erased: bool = False) -> list[DataKeyRow]:
        """The account's data keys, the oldest first; the first one is made here."""
        rows = tables.data_keys.of_account(account_id)
        if not rows:
            row = self._keychain.new_data_key(account_id, 1, self._clock())
            tables.data_keys.add(row)
            rows = [row]
        if rows[-1].wrapped is None and not erased:
            raise Erased
        return rows

    def _open(self, rows: list[DataKeyRow]) -> dict[int, bytes]:
        opened = {row.version: self._keychain.unwrap(row) for row in rows}
        keys = {version: key for version, key in opened.items() if key is not None}
        if not keys:
            raise Erased
        return keys


class Vault(Sealer):
    """Seals and opens secrets for the event loop, too; keeps the keys that it uses in memory."""

    def __init__(self, database: Database, keychain: Keychain, clock: Clock) -> None:
        super().__init__(keychain, clock)
        self._database = database
        self._keys: dict[str, dict[int, bytes]] = {}
        """Account -> version -> key. Filled with what is committed, in the order of commits."""

    async def seal(self, account_id: str, context: bytes, plain: bytes) -> bytes:
        """Raises Erased, Problem `storage_unavailable`."""
        keys = self._keys.get(account_id) or await self._fetch(account_id)
        version = max(keys)
        return _seal(keys[version], account_id, version, context, plain)

    async def unseal(self, account_id: str, context: bytes, sealed: bytes) -> bytes:
        """Raises Erased, KeychainError where it was changed, Problem `storage_unavailable`."""
        version = _version(sealed)
        key = self._keys.get(account_id, {}).get(version)
        if key is None:
            key = _of(version, await self._fetch(account_id))
        return _unseal(key, account_id, context, sealed)

    def forget(self, account_id: str) -> None:
        """Keep nothing of the account's keys in memory."""
        self._keys.pop(account_id, None)

    async def _fetch(self, account_id: str) -> dict[int, bytes]:
        # Written rather than read: so it is in order with `destroy`, and `forget` comes last.
        rows = await self._database.write(lambda tables: self._rows(tables, account_id))
        keys = self._keys[account_id] = self._open(rows)
        return keys


def _of(version: int, keys: dict[int, bytes]) -> bytes:
    if version not in keys:
        raise KeychainError(f"a secret was sealed with data key {version}, which is not there")
    return keys[version]


def _version(sealed: bytes) -> int:
    if sealed[:1] != FORMAT or len(sealed) < _TEXT:
        raise KeychainError("a secret in the database has no known form: restore a backup")
    return int.from_bytes(sealed[1:_HEAD], "big")


def _seal(key: bytes, account_id: str | None, version: int, context: bytes, plain: bytes) -> bytes:
    head = FORMAT + version.to_bytes(VERSION_BYTES, "big")
    nonce = secrets.token_bytes(NONCE_BYTES)
    return head + nonce + AESGCM(key).encrypt(nonce, plain, _bound(head, account_id, context))


def _unseal(key: bytes, account_id: str | None, context: bytes, sealed: bytes) -> bytes:
    head, nonce, ciphertext = sealed[:_HEAD], sealed[_HEAD:_TEXT], sealed[_TEXT:]
    try:
        return AESGCM(key).decrypt(nonce, ciphertext, _bound(head, account_id, context))
    except InvalidTag as error:
        raise KeychainError(
            "a secret in the database was changed or moved: restore a backup"
        ) from error


def _bound(head: bytes, account_id: str | None, context: bytes) -> bytes:
    return head + msgspec.msgpack.encode((account_id, context))
