"""Invitations to register."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Column, Integer, LargeBinary, MetaData, Table, Text

revision = "0003"
down_revision = "0002"

Int64 = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

Table(
    "invitations",
    metadata,
    Column("id", Text, primary_key=True),
    Column("mac", LargeBinary, nullable=False),
    Column("mac_version", Int64, nullable=False),
    Column("created_at", Int64, nullable=False),
    Column("expires_at", Int64, nullable=False),
    Column("used_at", Int64),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
