"""Puts a backup in the place of the database, after it has shown that it is whole.

The copy must be undamaged, its keys must fit the key-encryption key, and its audit trail must be
whole and agree with the heads that are kept outside. Until then nothing is replaced, and what is
replaced is kept. The file of heads begins anew with those that the backup has, and the trail says
that, and how much of it, was given up.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from llmaas_server.storage.audit import CheckpointRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.reader import dialect_of
from llmaas_server.storage.tables import Tables

from .anchor import AnchorFile, sign, signers
from .clock import Clock
from .kek import KeySource
from .keychain import Keychain
from .principals import COMMAND
from .trail import Trail
from .vault import Sealer
from .verification import verify


class BrokenTrail(Exception):
    """The audit trail of a backup is not whole, or is not that of this server."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the audit trail of a restored database was told."""

    rows: int
    """That it had."""
    lost: int
    """Rows that the heads outside know of and the backup has not."""
    heads: list[CheckpointRow]
    """With which their file begins anew."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was done."""

    rows: int
    """See `Told`."""
    lost: int
    database: Path | None
    """Where the database lies that was replaced."""
    heads: Path | None
    """Where the file of heads lies that was replaced."""


def restore(url: str, backup: Path, source: KeySource, file: AnchorFile, clock: Clock) -> Restored:
    """Blocks. Raises StorageError, KeychainError, BrokenTrail: then nothing was replaced."""
    with dialect_of(url).replacement(backup) as replacement:
        database = Database.open(replacement.url)
        try:
            told = _tell(database, source, file, clock)
        finally:
            database.close()
        replaced = replacement.put_in_place()
    return Restored(told.rows, told.lost, replaced, file.rewrite(told.heads))


def resume(
    database: Database, source: KeySource, file: AnchorFile, clock: Clock
) -> tuple[int, int, Path | None]:
    """The same for a database that another tool has restored: `rows`, `lost` and `heads`.

    Blocks. Raises KeychainError, BrokenTrail.
    """
    told = _tell(database, source, file, clock)
    return told.rows, told.lost, file.rewrite(told.heads)


def _tell(database: Database, source: KeySource, file: AnchorFile, clock: Clock) -> Told:
    """Check keys and trail, and add to the trail that this is a backup."""
    keychain = Keychain.load(database.reader, source)
    known = file.read()
    rows, heads = database.look(lambda tables: _checked(tables, known, keychain))
    lost = max([rows, *(head.seq for head in known)]) - rows
    trail = Trail(keychain, Sealer(keychain, clock), clock)
    detail = {"rows": rows, "rows_given_up": lost}
    entry = COMMAND.entry("database.restore", str(rows), None, detail)
    row = database.submit(lambda tables: trail.add(tables, entry)).result()
    return Told(rows, lost, [*heads, sign(keychain.signing_key(), row, clock())])


def _checked(
    tables: Tables, known: list[CheckpointRow], keychain: Keychain
) -> tuple[int, list[CheckpointRow]]:
    """How many rows the trail has, and the heads of them. Raises BrokenTrail."""
    rows = tables.audit.count()
    # Heads that were anchored after the backup say nothing of it; its own checkpoints may be all
    # that is left where the folder with the file was lost.
    heads = {(head.seq, head.hash): head for head in tables.checkpoints.all()}
    heads |= {(head.seq, head.hash): head for head in known if head.seq <= rows}
    ordered = sorted(heads.values(), key=lambda head: head.seq)
    report = verify(tables, lambda: ordered, signers(keychain))
    if not report.is_whole:
        first = report.flaws[0]
        raise BrokenTrail(
            f"the audit trail of the backup is broken at row {first.seq}: {first.what}"
        )
    return rows, ordered
