"""The tables as they are now. How they came to be is in `migrations`; a test holds both equal.

accounts ─┬─ users            who signs in
          ├─ data_keys        wrapped keys that the account's secrets are encrypted with
          └─ applications ─── keys
invitations                             to register
prices ──── intents ──► ledger          a call: admitted, then settled exactly once
budgets ─── budget_windows              what of a budget is spent and reserved, per period
answers                                 for requests that are sent again
records                                 prompts and answers, where an application keeps them
classifiers, classifier_parts           made from examples; their contents encrypted
root_keys                               wrapped; what is not an account's is derived from them
audit, audit_checkpoints                what was changed and refused
"""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

from .columns import Flag, Int64, Json
from .values import Limits, Scopes

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
}

metadata = MetaData(naming_convention=NAMING)

accounts = Table(
    "accounts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("limits", Json(Limits), nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

users = Table(
    "users",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("email", LargeBinary),  # encrypted
    Column("email_lookup", LargeBinary, unique=True),  # keyed hash
    Column("password_hash", Text),
    Column("status", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

applications = Table(
    "applications",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("tasks", Json(tuple[str, ...])),  # NULL: all
    Column("models", Json(tuple[str, ...])),  # NULL: all
    Column("limits", Json(Limits), nullable=False),
    Column("retention", Flag, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint("status IN ('active', 'suspended', 'closed')", "status"),
    sqlite_strict=True,
)

keys = Table(
    "keys",
    metadata,
    Column("id", Text, primary_key=True),  # the public part of the key
    Column("account_id", Text, ForeignKey("accounts.id"), nullable=False, index=True),
    Column("application_id", Text, ForeignKey("applications.id"), index=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("mac", LargeBinary, nullable=False),  # keyed hash of the whole key
    Column("mac_version", Int64, nullable=False),
    Column("scopes", Json(Scopes), nullable=False),
    Column("limits", Json(Limits), nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("expires_at", Int64),
    Column("revoked_at", Int64),
    Column("last_used_day", Int64),
    Column("replaces", Text, ForeignKey("keys.id")),
    CheckConstraint("kind IN ('inference', 'management')", "kind"),
    CheckConstraint("kind = 'management' OR application_id IS NOT NULL", "application"),
    sqlite_strict=True,
)

invitations = Table(
    "invitations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mac", LargeBinary, nullable=False),  # keyed hash of the token
    Column("mac_version", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False),
    Column("used_at", Int64),
    sqlite_strict=True,
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mac", LargeBinary, nullable=False),  # keyed hash of the token
    Column("mac_version", Int64, nullable=False),
    Column("user_id", Text, nullable=False, index=True),
    Column("account_id", Text, nullable=False),
    Column("management_key_id", Text, nullable=False),
    Column("inference_key_id", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("used_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False, index=True),
    Column("confirmed_at", Int64, nullable=False),
    sqlite_strict=True,
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("account_id", Text, ForeignKey("accounts.id"), primary_key=True),
    Column("version", Int64, primary_key=True),
    Column("wrapped_by", Text, nullable=False),  # id of the key-encryption key
    Column("wrapped", LargeBinary),  # NULL: destroyed
    Column("created_at", Int64, nullable=False),
    sqlite_strict=True,
)

prices = Table(
    "prices",
    metadata,
    Column("id", Int64, primary_key=True, autoincrement=False),
    Column("model", Text),  # NULL: any
    Column("task", Text),  # NULL: any
    Column("prompt", Int64, nullable=False),  # nano-units for 10^6 tokens
    Column("cached", Int64, nullable=False),
    Column("completion", Int64, nullable=False),
    Column("cpu_second", Int64, nullable=False),  # nano-units for 10^6 microseconds
    Column("gpu_second", Int64, nullable=False),
    Column("most_time", Int64, nullable=False),  # microseconds that a call is charged for at most
    Column("valid_from", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    CheckConstraint(
        "prompt >= 0 AND cached >= 0 AND completion >= 0 "
        "AND cpu_second >= 0 AND gpu_second >= 0 AND most_time >= 0",
        "not_negative",
    ),
    sqlite_strict=True,
)

intents = Table(
    "intents",  # calls admitted and not yet settled
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

ledger = Table(
    "ledger",  # calls settled; only ever added to
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("application_id", Text, nullable=False),
    Column("key_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("price_id", Int64, ForeignKey("prices.id")),
    Column("outcome", Text, nullable=False),
    Column("code", Text),  # of the error, where there was one
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

budgets = Table(
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

budget_windows = Table(
    "budget_windows",  # sums over ledger and intents, kept so that a check is one statement
    metadata,
    Column("owner_kind", Text, primary_key=True),
    Column("owner_id", Text, primary_key=True),
    Column("starts_at", Int64, primary_key=True),
    Column("spent", Int64, nullable=False),
    Column("reserved", Int64, nullable=False),
    CheckConstraint("spent >= 0 AND reserved >= 0", "not_negative"),
    sqlite_strict=True,
)

answers = Table(
    "answers",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("token", LargeBinary, primary_key=True),  # hash of the Idempotency-Key
    Column("request", LargeBinary, nullable=False),  # hash of the request
    Column("call_id", Text, nullable=False),
    Column("sealed", LargeBinary),  # NULL: too large to keep
    Column("expires_at", Int64, nullable=False, index=True),
    sqlite_strict=True,
)

root_keys = Table(
    "root_keys",
    metadata,
    Column("version", Int64, primary_key=True, autoincrement=False),
    Column("wrapped_by", Text, nullable=False),  # id of the key-encryption key
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Int64, nullable=False),
    sqlite_strict=True,
)

records = Table(
    "records",
    metadata,
    Column("id", Text, primary_key=True),  # of the call
    Column("account_id", Text, nullable=False, index=True),
    Column("application_id", Text, nullable=False, index=True),
    Column("key_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # request and answer, encrypted
    Column("made_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False, index=True),
    sqlite_strict=True,
)

classifiers = Table(
    "classifiers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Int64, nullable=False),
    Column("digest", Text, nullable=False),  # SHA-256 of its file
    Column("created_at", Int64, nullable=False),
    UniqueConstraint("account_id", "name", "version"),
    sqlite_strict=True,
)

classifier_parts = Table(
    "classifier_parts",
    metadata,
    Column("classifier_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),  # encrypted
    Index(
        "ix_classifier_parts_account_id_classifier_id_part", "account_id", "classifier_id", "part"
    ),
    sqlite_strict=True,
)

audit = Table(
    "audit",  # only ever added to
    metadata,
    Column("seq", Int64, primary_key=True, autoincrement=False),
    Column("at", Int64, nullable=False),
    Column("account_id", Text),
    Column("actor_kind", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("address", LargeBinary),  # keyed hash
    Column("detail", LargeBinary),  # encrypted
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    Index("ix_audit_account_id_seq", "account_id", "seq"),
    sqlite_strict=True,
)

audit_checkpoints = Table(
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
