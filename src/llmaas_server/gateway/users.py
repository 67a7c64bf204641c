"""People: found by e-mail without keeping it readable, known by their password."""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from llmaas_server.errors import Problem
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
            row = self._with_email(tables, row, normalized(email))
        tables.users.add(row)
        return row

    def with_email(self, tables: Tables, row: UserRow, email: str) -> UserRow:
        """The row of a user, with another e-mail. Raises Problem `conflict` where it is another
        one's: only for people who have shown who they are."""
        known = self.find(tables, email)
        if known is not None and known.id != row.id:
            raise Problem("conflict", "somebody signs in with this e-mail", param="email")
        return self._with_email(tables, row, normalized(email))

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
        tables.users.replace(self._with_email(tables, row, email))

    def _with_email(self, tables: Tables, row: UserRow, normal: str) -> UserRow:
        plain = normal.encode()
        sealed = self._sealer.seal_within(tables, row.account_id, context(row.id), plain)
        return replace(row, email=sealed, email_lookup=self._keychain.mac(PURPOSE, plain).digest)


def normalized(email: str) -> str:
    """Equal for what people take for the same."""
    return unicodedata.normalize("NFKC", email).strip().casefold()


def context(user_id: str) -> bytes:
    """What the sealed e-mail of a user is bound to."""
    return f"users|{user_id}|email".encode()
