"""The audit trail: what was changed and who was refused, each row with the hash of the one before.

A row is added in the unit of work of the change itself: there is no change without its row, and no
row without its change. `anchor` keeps the head of the chain outside the database, `verification`
finds what was changed behind its back.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import astuple, dataclass, replace
from typing import Literal

import msgspec

from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.tables import Tables

from .clock import Clock
from .kek import KeychainError
from .keychain import Keychain
from .vault import Erased, Sealer

ActorKind = Literal["key", "user", "operator", "server", "stranger"]
"""`operator` runs commands on the machine of the server; `stranger` has shown no valid key."""

FIRST = bytes(32)
"""What stands for the hash before the first row."""

_HASHED = b"llmaas audit row 1\0"


@dataclass(frozen=True, slots=True)
class Entry:
    """What happened."""

    actor_kind: ActorKind
    actor: str
    """An id, never a key or a name."""
    action: str
    """`noun.verb`, such as `keys.create`."""
    target: str
    """The id of what was changed, or what access was asked to."""
    outcome: Literal["done", "refused"] = "done"
    account_id: str | None = None
    """Whose account it concerns; None for what is the server's."""
    address: str | None = None
    """Where it came from; kept as a keyed hash."""
    detail: Mapping[str, object] | None = None
    """What else is worth knowing, as JSON; kept encrypted. Never a text of a request."""


class Trail:
    """Adds rows to the audit trail, and reads their details."""

    def __init__(self, keychain: Keychain, sealer: Sealer, clock: Clock) -> None:
        self._keychain = keychain
        self._sealer = sealer
        self._clock = clock
        self.changed = threading.Event()
        """Set with each row: there is something to anchor."""

    def add(self, tables: Tables, entry: Entry) -> AuditRow:
        """Add a row, in the unit of work of what it tells."""
        head = tables.audit.head()
        seq, previous = (1, FIRST) if head is None else (head.seq + 1, head.hash)
        row = AuditRow(
            seq=seq,
            at=self._clock(),
            account_id=entry.account_id,
            actor_kind=entry.actor_kind,
            actor=entry.actor,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
            address=self._address(entry),
            detail=self._seal(tables, entry, seq),
            previous=previous,
            hash=b"",
        )
        row = replace(row, hash=row_hash(row))
        tables.audit.add(row)
        self.changed.set()
        return row

    def detail(self, tables: Tables, row: AuditRow) -> dict[str, object] | None:
        """The detail of a row; None where there is none, or its account was erased.

        One that was changed or moved is told as `unreadable`.
        """
        if row.detail is None:
            return None
        try:
            plain = self._sealer.unseal_within(
                tables, row.account_id, _context(row.seq), row.detail
            )
        except Erased:
            return None
        except KeychainError as error:
            return {"unreadable": str(error)}
        return msgspec.json.decode(plain, type=dict[str, object])

    def _address(self, entry: Entry) -> bytes | None:
        if entry.address is None:
            return None
        return self._keychain.mac("address", entry.address.encode()).digest

    def _seal(self, tables: Tables, entry: Entry, seq: int) -> bytes | None:
        if entry.detail is None:
            return None
        plain = msgspec.json.encode(entry.detail)
        try:
            return self._sealer.seal_within(tables, entry.account_id, _context(seq), plain)
        except Erased:
            return None


def row_hash(row: AuditRow) -> bytes:
    """SHA-256 over all fields of a row but its hash: MessagePack of a list, in their order."""
    fields = astuple(row)[:-1]
    return hashlib.sha256(_HASHED + msgspec.msgpack.encode(fields)).digest()


def _context(seq: int) -> bytes:
    return f"audit|{seq}|detail".encode()
