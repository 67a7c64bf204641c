"""Accounts, keys, prices, the ledger, budgets, kept answers, the audit trail."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

revision = "0001"
down_revision = None

Int64 = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)

Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("email", LargeBinary),
    Column("email_lookup", LargeBinary, unique=True),
    Column("password_hash", Text),
    Column("status", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tasks", Text),
    Column("models", Text),
    Column("limits", Text, nullable=False),
    Column("retention", Integer, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("application_id", Text, ForeignKey("applications.id"), index=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Column("mac_version", Int64, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("limits", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("expires_at", Int64),
    Column("revoked_at", Int64),
    Column("last_used_day", Int64),
    Column("replaces", Text, ForeignKey("keys.id")),
    CheckConstraint("kind IN ('inference', 'management')", "kind"),
    CheckConstraint("kind = 'management' OR application_id IS NOT NULL", "application"),
    sqlite_strict=True,
)

Table(
    "data_keys",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("version", Int64, primary_key=True),
    Column("wrapped_by", Text, nullable=False),
    Column("wrapped", LargeBinary),
    Column("created_at", Int64, nullable=False),
    sqlite_strict=True,
)

Table(
    "prices",
    metadata,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("model", Text),
    Column("task", Text),
    Column("prompt", Int64, nullable=False),
    Column("cached", Int64, nullable=False),
    Column("completion", Int64, nullable=False),
    Column("cpu_second", Int64, nullable=False),
    Column("gpu_second", Int64, nullable=False),
    Column("most_time", Int64, nullable=False),
    Column("valid_from", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint(
        "prompt >= 0 AND cached >= 0 AND completion >= 0 "
        "AND cpu_second >= 0 AND gpu_second >= 0 AND most_time >= 0",
        "not_negative",
    ),
    sqlite_strict=True,
)

Table(
    "intents",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("price_id", Int64, ForeignKey("prices.id")),
    Column("prompt_tokens", Int64, nullable=False),
    Column("max_completion_tokens", Int64, nullable=False),
    Column("reserved", Int64, nullable=False),
    Column("admitted_at", Int64, nullable=False),
    CheckConstraint("reserved >= 0", "reserved"),
    sqlite_strict=True,
)

Table(
    "ledger",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("price_id", Int64, ForeignKey("prices.id")),
    Column("outcome", Text, nullable=False),
    Column("code", Text),
    Column("prompt_tokens", Int64, nullable=False),
    Column("cached_tokens", Int64, nullable=False),
    Column("completion_tokens", Int64, nullable=False),
    Column("cpu_us", Int64, nullable=False),
    Column("gpu_us", Int64, nullable=False),
    Column("reserved", Int64, nullable=False),
    Column("cost", Int64, nullable=False),
    Column("admitted_at", Int64, nullable=False),
    Column("settled_at", Int64, nullable=False),
    CheckConstraint("outcome IN ('completed', 'aborted', 'failed', 'rejected')", "outcome"),
    CheckConstraint("cost >= 0 AND cost <= reserved", "cost"),
    Index("ix_ledger_admitted_at", "admitted_at"),
    Index("ix_ledger_account_id_admitted_at", "account_id", "admitted_at"),
    Index("ix_ledger_application_id_admitted_at", "application_id", "admitted_at"),
    Index("ix_ledger_key_id_admitted_at", "key_id", "admitted_at"),
    Index("ix_ledger_settled_at", "settled_at"),
    sqlite_strict=True,
)

Table(
    "budgets",
    metadata,
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", Text, primary_key=True),
    Column("period", Text, nullable=False),
    Column("amount", Int64, nullable=False),
    CheckConstraint("owner_kind IN ('account', 'application', 'key')", "owner_kind"),
    CheckConstraint("period IN ('day', 'month', 'total')", "period"),
    CheckConstraint("amount >= 0", "amount"),
    sqlite_strict=True,
)

Table(
    "budget_windows",
    metadata,
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", Text, primary_key=True),
    Column("starts_at", Int64, primary_key=True),
    Column("spent", Int64, nullable=False),
    Column("reserved", Int64, nullable=False),
    CheckConstraint("spent >= 0 AND reserved >= 0", "not_negative"),
    sqlite_strict=True,
)

Table(
    "answers",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("token", LargeBinary, primary_key=True),
    Column("request", LargeBinary, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("sealed", LargeBinary),
    Column("expires_at", Int64, nullable=False, index=True),
    sqlite_strict=True,
)

Table(
    "audit",
    metadata,
    Column("seq", Int64, primary_key=True, autoincrement=False),
    Column("at", Int64, nullable=False),
    Column("account_id", Text),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("address", LargeBinary),
    Column("detail", LargeBinary),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_account_id_seq", "account_id", "seq"),
    sqlite_strict=True,
)

Table(
    "audit_checkpoints",
    metadata,
    Column("seq", Int64, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary, nullable=False),
    Column("at", Int64, nullable=False),
    Column("signed_by", Text, nullable=False),
    Column("signature", LargeBinary, nullable=False),
    UniqueConstraint("hash"),
    sqlite_strict=True,
)

APPEND_ONLY = ("ledger", "audit", "audit_checkpoints", "prices")


def upgrade() -> None:
    metadata.create_all(op.get_bind())
    system = op.get_bind().dialect.name
    if system == "postgresql":
        op.execute(
            "CREATE FUNCTION append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'rows of % are never changed', TG_TABLE_NAME "
            "USING ERRCODE = 'integrity_constraint_violation'; END $$"
        )
    for table in APPEND_ONLY:
        if system == "postgresql":
            op.execute(
                f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION append_only()"
            )
            continue
        for action in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{action.lower()} BEFORE {action} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )
