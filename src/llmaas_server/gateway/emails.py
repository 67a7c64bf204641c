"""E-mail addresses: encrypted with the account's data key, and found by a keyed hash."""

from __future__ import annotations

from dataclasses import replace

from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.tables import Tables

from .keychain import Keychain
from .vault import Erased, Vault

PURPOSE = "email"
"""Of the keyed hashes."""


class Emails:
    """Used inside units of work."""

    def __init__(self, keychain: Keychain, vault: Vault) -> None:
        self._keychain = keychain
        self._vault = vault

    def put(self, tables: Tables, user: UserRow, email: str) -> UserRow:
        """The row of the user with this e-mail. The account must be there."""
        sealed = self._vault.seal_within(tables, user.account_id, _context(user), email.encode())
        lookup = self._keychain.mac(PURPOSE, _normal(email)).digest
        return replace(user, email=sealed, email_lookup=lookup)

    def find(self, tables: Tables, email: str) -> UserRow | None:
        """Who has this e-mail, in whatever case it is written."""
        found = (
            tables.users.by_email(mac.digest)
            for mac in self._keychain.macs(PURPOSE, _normal(email))
        )
        return next((user for user in found if user is not None), None)

    def read(self, tables: Tables, user: UserRow) -> str | None:
        """The e-mail; None where there is none, or the account was erased."""
        if user.email is None:
            return None
        try:
            sealed = user.email
            plain = self._vault.unseal_within(tables, user.account_id, _context(user), sealed)
        except Erased:
            return None
        return plain.decode()

    def renew(self, tables: Tables, user: UserRow) -> None:
        """Encrypt and hash it anew, with the newest keys."""
        email = self.read(tables, user)
        if email is not None:
            tables.users.replace(self.put(tables, user, email))


def _context(user: UserRow) -> bytes:
    return f"users|{user.id}|email".encode()


def _normal(email: str) -> bytes:
    return email.strip().casefold().encode()
