"""The first account, and the keys of the user of this machine: what makes `llmaas serve` and
`Client()` work without a word about either."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llmaas_client.wire.accounts import AccountCreate
from llmaas_client.wire.credentials import ServerCredentials
from llmaas_client.wire.keys import ANY, KeyCreate
from llmaas_server.storage.database import Database
from llmaas_server.storage.keys import KeyKind
from llmaas_server.storage.tables import Tables

from .accounts import Accounts
from .credentials import CredentialsFile
from .keys import Keys
from .known import OPERATOR
from .principals import SERVER

ACCOUNT = "local"
"""The name of the account that runs the server."""

NAME = "this machine"
"""Of its keys."""


def bootstrap(
    database: Database, accounts: Accounts, keys: Keys, home: Path, base_url: str
) -> None:
    """See that there is an operator, and that the user of this machine has keys for the server
    at `base_url`. Blocks.

    The database gets hashes, the file in `home` the keys. Keys that are good already serve every
    address of the same home; those that the server does not know any more are made anew.
    """
    file = CredentialsFile(home)
    with file.locked():
        credentials = file.read()
        known = credentials.servers.values()

        def unit(tables: Tables) -> ServerCredentials:
            account_id = _operator(tables, accounts)
            inference = [entry.inference_key for entry in known]
            management = [entry.management_key for entry in known]
            return ServerCredentials(
                inference_key=_key(tables, keys, account_id, "inference", inference),
                management_key=_key(tables, keys, account_id, "management", management),
            )

        entry = database.submit(unit).result()
        servers = {**credentials.servers, base_url: entry}
        if servers != credentials.servers:
            file.write(credentials.model_copy(update={"servers": servers}))


def _operator(tables: Tables, accounts: Accounts) -> str:
    """The id of the account that runs the server; it is made where there is none."""
    operators = tables.users.with_role(OPERATOR)
    if operators:
        return operators[0].account_id
    return accounts.open_within(tables, SERVER, AccountCreate(name=ACCOUNT), None, OPERATOR).id


def _key(
    tables: Tables, keys: Keys, account_id: str, kind: KeyKind, known: Iterable[str | None]
) -> str:
    """One of the known keys that is good, or a new one."""
    for text in known:
        row = keys.proves(tables, text) if text else None
        if text and row and (row.kind, row.account_id) == (kind, account_id):
            return text
    asked = KeyCreate(name=NAME, kind=kind, account_id=account_id)
    if kind == "management":
        asked = asked.model_copy(update={"actions": [ANY]})
    else:
        asked = asked.model_copy(update={"application_id": _application(tables, account_id)})
    return keys.create_within(tables, SERVER, asked).secret


def _application(tables: Tables, account_id: str) -> str | None:
    """The first one that is active: the one that the account began with, as a rule."""
    rows = tables.applications.of_account(account_id)
    return next((row.id for row in rows if row.status == "active"), None)
