"""People: found by e-mail without keeping it readable, known by their password."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.tables import Tables

from .ids import new_id
from .keychain import Keychain
from .vault import Erased, Sealer

PURPOSE = "e-mail"
"""Of the keyed hashes that users are found by."""


class Users:
    """Adds and finds users, inside units of work."""

    def __init__(self, keychain: Keychain, sealer: Sealer) -> None:
        self._keychain = keychain
        self._sealer = sealer

    def add(
        self,
        tables: Tables,
        account_id: str,
        role: str,
        email: str | None,
        password_hash: str | None,
        now: int,
    ) -> UserRow:
        """A new user of an account that is there already."""
        row = UserRow(new_id("usr"), account_id, role, None, None, password_hash, "active", now)
        if email is not None:
            normal = normalized(email)
            row = UserRow(
                row.id,
                account_id,
                role,
                self._sealer.seal_within(tables, account_id, context(row.id), normal.encode()),
                self._keychain.mac(PURPOSE, normal.encode()).digest,
                password_hash,
                "active",
                now,
            )
        tables.users.add(row)
        return row

    def find(self, tables: Tables, email: str) -> UserRow | None:
        """The user with this e-mail, whatever key it was hashed with."""
        macs = self._keychain.macs(PURPOSE, normalized(email).encode())
        # All of them, whether one is found or not.
        found = [tables.users.by_email(mac.digest) for mac in macs]
        return next((row for row in found if row is not None), None)

    def email(self, tables: Tables, row: UserRow) -> str | None:
        """The e-mail of a user; None where there is none, or the account was erased."""
        if row.email is None:
            return None
        try:
            sealed = row.email
            plain = self._sealer.unseal_within(tables, row.account_id, context(row.id), sealed)
        except Erased:
            return None
        return plain.decode()

    def renew(self, tables: Tables, row: UserRow) -> None:
        """Encrypt and hash the e-mail anew, with the newest keys."""
        email = self.email(tables, row)
        if email is None:
            return
        plain = email.encode()
        sealed = self._sealer.seal_within(tables, row.account_id, context(row.id), plain)
        lookup = self._keychain.mac(PURPOSE, plain).digest
        tables.users.replace(replace(row, email=sealed, email_lookup=lookup))


def normalized(email: str) -> str:
    """Equal for what people take for the same."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def context(user_id: str) -> bytes:
    """What the sealed e-mail of a user is bound to."""
    return f"users|{user_id}|email".encode()
