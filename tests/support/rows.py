"""One row of each table."""

from __future__ import annotations

from llmaas_server.storage.accounts import UserRow
from llmaas_server.storage.answers import AnswerRow
from llmaas_server.storage.audit import AuditRow, CheckpointRow
from llmaas_server.storage.data_keys import DataKeyRow
from llmaas_server.storage.prices import PriceRow
from llmaas_server.storage.tables import Tables
from support.databases import add_tenant

USER = UserRow("usr_1", "acc_1", "owner", b"sealed", b"lookup", "$argon2id$", "active", 4)
DATA_KEY = DataKeyRow("acc_1", 1, "kek_1", b"wrapped", 5)
PRICE = PriceRow(1, "m", None, 2**62, 1, 2, 3, 4, 5, 6, 7)
ANSWER = AnswerRow("key_1", b"token", b"request", "call_1", b"sealed", 100)
AUDIT = AuditRow(
    1, 10, "acc_1", "user", "usr_1", "keys.create", "key_1", "done", None, b"x", b"", b"h1"
)
CHECKPOINT = CheckpointRow(1, b"h1", 11, "sig_1", b"signature")


def fill(tables: Tables) -> None:
    """Add them all."""
    add_tenant(tables)
    tables.users.add(USER)
    tables.data_keys.add(DATA_KEY)
    tables.prices.add(PRICE)
    tables.answers.add(ANSWER)
    tables.audit.add(AUDIT)
    tables.checkpoints.add(CHECKPOINT)
