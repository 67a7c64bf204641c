"""Finds what was changed in the audit trail, its checkpoints, and the ledger under its digests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from llmaas_server.storage.audit import AuditRow, CheckpointRow
from llmaas_server.storage.tables import Tables

from . import digests
from .anchor import is_signed
from .digests import Digest
from .trail import FIRST, row_hash

BATCH = 1000

ReadHeads = Callable[[], list[CheckpointRow]]
LOWEST = -(1 << 63)


@dataclass(frozen=True, slots=True)
class Flaw:
    """Something that is not as it was written."""

    seq: int
    """The row of the trail where it shows."""
    what: str


@dataclass(slots=True)
class Report:
    """What was verified."""

    rows: int = 0
    heads: int = 0
    """Signed heads in the file outside the database."""
    anchored: int = 0
    """The last row that a head in the file covers; later ones could still be cut off unseen."""
    digests: int = 0
    flaws: list[Flaw] = field(default_factory=list)

    @property
    def is_whole(self) -> bool:
        return not self.flaws


def verify(tables: Tables, read: ReadHeads, signers: dict[str, Ed25519PublicKey]) -> Report:
    """Compare trail, checkpoints and ledger with each other, and with the heads kept outside.

    A server may go on in the meantime: the tables show one state, and so the heads are read before
    it, for what the tables must have, and after it, for what they may have.
    """
    before = read()
    checkpoints = tables.checkpoints.all()
    after = read()
    report = Report(heads=len(after))
    _check_chain(tables, _claims(before, checkpoints), report)
    _check_signatures(after, checkpoints, signers, report)
    report.flaws.sort(key=lambda flaw: flaw.seq)
    return report


Claims = dict[int, list[tuple[bytes, str]]]
"""What signed heads say of rows: seq -> hashes, with where each stands."""


def _claims(heads: list[CheckpointRow], checkpoints: list[CheckpointRow]) -> Claims:
    claims: Claims = {}
    for where, rows in (("anchored head", heads), ("checkpoint", checkpoints)):
        for row in rows:
            claims.setdefault(row.seq, []).append((row.hash, where))
    return claims


def _check_chain(tables: Tables, waiting: Claims, report: Report) -> None:
    previous, seq, covered = FIRST, 0, 0
    for row in _rows(tables):
        seq += 1
        report.rows += 1
        if row.seq != seq:
            report.flaws.append(Flaw(row.seq, f"row {seq} is missing, or row {row.seq} too many"))
            seq = row.seq
        if row.previous != previous:
            report.flaws.append(Flaw(row.seq, "does not follow the row before"))
        previous = row_hash(row)
        if row.hash != previous:
            report.flaws.append(Flaw(row.seq, "was changed"))
        for known, where in waiting.pop(row.seq, ()):
            if known != row.hash:
                report.flaws.append(Flaw(row.seq, f"is not what a signed {where} says"))
        if row.action == digests.ACTION:
            covered = _check_digest(tables, row, covered, report)
    for missing, claimed in waiting.items():
        kinds = " and ".join(where for _, where in claimed)
        report.flaws.append(Flaw(missing, f"is missing: there is a signed {kinds} of it"))
    if report.rows != tables.audit.count():
        report.flaws.append(Flaw(seq, "there are rows that cannot be read in order"))


def _check_digest(tables: Tables, row: AuditRow, covered: int, report: Report) -> int:
    """Up to where the ledger is covered now."""
    report.digests += 1
    try:
        known = Digest.of(row)
    except ValueError:
        report.flaws.append(Flaw(row.seq, "holds no digest of the ledger"))
        return covered
    if known.start != covered:
        report.flaws.append(Flaw(row.seq, "does not follow the digest of the ledger before"))
    elif digests.digest(tables, known.start, known.end) != known:
        report.flaws.append(Flaw(row.seq, "the ledger's rows under this digest were changed"))
    return known.end


def _check_signatures(
    heads: list[CheckpointRow],
    checkpoints: list[CheckpointRow],
    signers: dict[str, Ed25519PublicKey],
    report: Report,
) -> None:
    anchored = set()
    for head in heads:
        if is_signed(head, signers):
            anchored.add((head.seq, head.hash))
        else:
            report.flaws.append(Flaw(head.seq, "the anchored head is not signed by this server"))
    report.anchored = max((seq for seq, _ in anchored), default=0)
    for checkpoint in checkpoints:
        if not is_signed(checkpoint, signers):
            flaw = Flaw(checkpoint.seq, "the checkpoint is not signed by this server")
            report.flaws.append(flaw)
        if (checkpoint.seq, checkpoint.hash) not in anchored:
            flaw = Flaw(checkpoint.seq, "the checkpoint is not among the anchored heads")
            report.flaws.append(flaw)


def _rows(tables: Tables) -> Iterator[AuditRow]:
    last = LOWEST
    while batch := tables.audit.after(last, BATCH):
        yield from batch
        last = batch[-1].seq
