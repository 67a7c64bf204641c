"""Sessions of people in the console."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

revision = "0005"
down_revision = "0004"

Int64 = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Table(
    "sessions",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mac", LargeBinary, nullable=False),
    Column("mac_version", Int64, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("account_id", Text, nullable=False),
    Column("management_key_id", Text, nullable=False),
    Column("inference_key_id", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("used_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False),
    Column("confirmed_at", Int64, nullable=False),
    Index("ix_sessions_user_id", "user_id"),
    Index("ix_sessions_expires_at", "expires_at"),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
