"""`llmaas keychain`: the keys that encrypt what the server keeps. The server must not run."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from .opening import (
    ConfigOption,
    HomeOption,
    JsonOption,
    owning,
    reading,
    settings_of,
    source_of,
)

if TYPE_CHECKING:
    from llmaas_server.gateway.keychain import Keychain
    from llmaas_server.gateway.renewal import Renewal
    from llmaas_server.gateway.trail import Trail
    from llmaas_server.storage.database import Database

app = typer.Typer(
    help="The keys that encrypt what the server keeps.",
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.callback()
def keychain() -> None:
    """The keys that encrypt what the server keeps."""


@app.command()
def new() -> None:
    """Print a new key, for the setting `encryption_key` or a safe. It is kept nowhere."""
    from llmaas_server.gateway.kek import new_key

    typer.echo(new_key().text)


@app.command()
def show(config: ConfigOption = None, home: HomeOption = None, as_json: JsonOption = False) -> None:
    """Say where the key-encryption key comes from, and whether it fits. Prints no key."""
    from llmaas_server.gateway.keychain import Keychain

    from .output import print_json

    settings = settings_of(config, home)
    source = source_of(settings)
    with reading(settings) as reader:
        opened = Keychain.load(reader, source)
    if as_json:
        print_json({"source": source.name, "key": opened.id, "root_keys": opened.version})
        return
    typer.echo(f"{opened.id} from {source.name} fits; the newest root key is {opened.version}.")


@app.command()
def rotate(config: ConfigOption = None, home: HomeOption = None) -> None:
    """Take a new key-encryption key, and wrap all keys with it.

    A key in a file is made here. One from a setting or a command is made by whoever keeps it: put
    it in front of the old one, start the server or this command, and take the old one away then.
    Where this is interrupted, the next start goes on with it. Backups need the key of their time.
    """
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.keychain import rotate as rotated
    from llmaas_server.gateway.principals import COMMAND

    settings = settings_of(config, home)
    source = source_of(settings)
    with owning(settings) as database:
        opened = rotated(database, source, wall)
        _, trail = _services(opened)
        entry = COMMAND.entry("keychain.rotate", opened.id, None)
        database.submit(lambda tables: trail.add(tables, entry)).result()
    typer.echo(f"All keys are wrapped with {opened.id} from {source.name}.")


@app.command()
def renew(
    account: Annotated[str | None, typer.Argument(help="By default all accounts.")] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Give accounts new data keys, and encrypt their e-mail and records anew.

    Details of the audit trail stay as they are, and the older keys with them. Where this is
    interrupted, type it again.
    """
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.keychain import Keychain

    settings = settings_of(config, home)
    source = source_of(settings)
    with owning(settings) as database:
        renewal, _ = _services(Keychain.open(database, source, wall))
        count = _renew(database, renewal, account)
    typer.echo(f"{count} accounts have new data keys.")


def _renew(database: Database, renewal: Renewal, account: str | None) -> int:
    from llmaas_server.gateway.principals import COMMAND, not_found

    rows = database.look(lambda tables: tables.accounts.all())
    names = [row.id for row in rows if row.status != "closed" and account in (None, row.id)]
    if account is not None and not names:
        raise not_found("account", account)
    for name in names:
        begin = partial(renewal.begin, actor=COMMAND, account_id=name)
        database.submit(begin).result()
        last: str | None = ""
        while last is not None:
            step = partial(renewal.step, account_id=name, last_id=last)
            last = database.submit(step).result()
    return len(names)


def _services(opened: Keychain) -> tuple[Renewal, Trail]:
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.renewal import Renewal
    from llmaas_server.gateway.trail import Trail
    from llmaas_server.gateway.users import Users
    from llmaas_server.gateway.vault import Sealer

    sealer = Sealer(opened, wall)
    trail = Trail(opened, sealer, wall)
    return Renewal(sealer, Users(opened, sealer), trail), trail
