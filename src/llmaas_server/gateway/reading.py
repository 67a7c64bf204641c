"""The audit trail and kept records as their readers see them."""

from __future__ import annotations

from llmaas_client.wire.audit import AuditEntry, AuditFlaw, AuditList, AuditReport
from llmaas_client.wire.records import RecordInfo
from llmaas_server.storage.audit import AuditRow
from llmaas_server.storage.records import RecordRow
from llmaas_server.storage.tables import Tables

from .trail import Trail
from .verification import Report
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


def record_info(row: RecordRow) -> RecordInfo:
    return RecordInfo(
        id=row.id,
        application_id=row.application_id,
        key_id=row.key_id,
        task=row.task,
        model=row.model,
        made_at=moment(row.made_at),
        expires_at=moment(row.expires_at),
    )
