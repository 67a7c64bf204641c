"""The audit trail as its readers see it."""

from __future__ import annotations

from dataclasses import dataclass

from llmaas_client.wire.audit import AuditEntry, AuditFlaw, AuditList, AuditReport
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.database import Database
from llmaas_server.storage.tables import Tables

from .anchor import AnchorFile, signers
from .clock import Clock
from .keychain import Keychain
from .principals import Actor
from .trail import Trail
from .verification import Report, verify
from .views import moment


def audit_entry(trail: Trail, tables: Tables, row: AuditRow) -> AuditEntry:
    return AuditEntry(
        seq=row.seq,
        at=moment(row.at),
        account_id=row.account_id,
        actor_kind=row.actor_kind,
        actor=row.actor,
        action=row.action,
        target=row.target,
        outcome="refused" if row.outcome == "refused" else "done",
        address=None if row.address is None else row.address.hex(),
        detail=trail.detail(tables, row),
        previous=row.previous.hex(),
        hash=row.hash.hex(),
    )


def audit_page(
    trail: Trail, tables: Tables, after: int, limit: int, account_id: str | None = None
) -> AuditList:
    """Rows that follow `after`, the oldest first: of one account, or of all."""
    rows = tables.audit.after(after, limit, account_id)
    entries = [audit_entry(trail, tables, row) for row in rows]
    return AuditList(entries=entries, next=rows[-1].seq if len(rows) == limit else None)


def audit_report(report: Report) -> AuditReport:
    return AuditReport(
        whole=report.is_whole,
        rows=report.rows,
        heads=report.heads,
        anchored=report.anchored,
        digests=report.digests,
        flaws=[AuditFlaw(seq=flaw.seq, what=flaw.what) for flaw in report.flaws],
    )


@dataclass(frozen=True, slots=True)
class Verified:
    """A verification of the trail."""

    at: int
    report: AuditReport


class TrailReader:
    """Shows the trail of a running server."""

    def __init__(
        self,
        database: Database,
        trail: Trail,
        keychain: Keychain,
        file: AnchorFile,
        clock: Clock,
    ) -> None:
        self._database = database
        self._trail = trail
        self._keychain = keychain
        self._file = file
        self._clock = clock
        self._verified: Verified | None = None

    async def page(self, actor: Actor, account_id: str | None, after: int, limit: int) -> AuditList:
        """Some rows: the operator sees all accounts where none is named, others see their own.

        Raises Problem `not_found`.
        """
        wanted = _within_reach(actor, account_id)
        return await self._database.read(
            lambda tables: audit_page(self._trail, tables, after, limit, wanted)
        )

    async def newest(self, actor: Actor, before: int, limit: int) -> list[AuditEntry]:
        """Rows that come before `before`, the newest first, of all that the actor reaches."""
        wanted = _within_reach(actor, None)

        def unit(tables: Tables) -> list[AuditEntry]:
            rows = tables.audit.before(before, limit, wanted)
            return [audit_entry(self._trail, tables, row) for row in rows]

        return await self._database.read(unit)

    async def verify(self) -> AuditReport:
        """What of all that is kept is not as it was written."""
        known = signers(self._keychain)
        report = await self._database.read(lambda tables: verify(tables, self._file.read, known))
        self._verified = Verified(self._clock(), audit_report(report))
        return self._verified.report

    @property
    def verified(self) -> Verified | None:
        """What the last verification since the server started found."""
        return self._verified


def _within_reach(actor: Actor, account_id: str | None) -> str | None:
    """The account whose rows are read; None is all. Raises Problem `not_found`."""
    wanted = account_id
    if wanted is None and not actor.is_operator:
        wanted = actor.account_id
    if wanted is not None:
        actor.check_reach(wanted, "account", wanted)
    return wanted
