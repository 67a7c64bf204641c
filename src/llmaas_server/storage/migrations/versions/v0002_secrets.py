"""Root keys, and the records of applications that want their calls kept."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

revision = "0002"
down_revision = "0001"

Int64 = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"}
)

Table(
    "root_keys",
    metadata,
    Column("version", Int64, primary_key=True, autoincrement=False),
    Column("wrapped_by", Text, nullable=False),
    Column("wrapped", LargeBinary, nullable=False),
    Column("created_at", Int64, nullable=False),
    sqlite_strict=True,
)

Table(
    "records",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False, index=True),
    Column("application_id", Text, nullable=False, index=True),
    Column("key_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("made_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False, index=True),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
