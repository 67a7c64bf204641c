"""Classifiers made from examples."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

revision = "0004"
down_revision = "0003"

Int64 = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    }
)

Table(
    "classifiers",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("version", Int64, nullable=False),
    Column("digest", Text, nullable=False),
    Column("created_at", Int64, nullable=False),
    UniqueConstraint("account_id", "name", "version"),
    sqlite_strict=True,
)

Table(
    "classifier_parts",
    metadata,
    Column("classifier_id", Text, primary_key=True),
    Column("part", Text, primary_key=True),
    Column("account_id", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(
        "ix_classifier_parts_account_id_classifier_id_part", "account_id", "classifier_id", "part"
    ),
    sqlite_strict=True,
)


def upgrade() -> None:
    metadata.create_all(op.get_bind())
