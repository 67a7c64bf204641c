"""`llmaas audit`: what was changed and who was refused, on the server's own machine.

It reads the database beside a server that may be running.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .opening import (
    BROKEN,
    ConfigOption,
    HomeOption,
    JsonOption,
    heads_of,
    owning,
    reading,
    settings_of,
    source_of,
)

if TYPE_CHECKING:
    from llmaas_client.wire.audit import AuditList
    from llmaas_server.gateway.keychain import Keychain
    from llmaas_server.gateway.trail import Trail
    from llmaas_server.settings import Settings
    from llmaas_server.storage.reader import Reader
    from llmaas_server.storage.tables import Tables

app = typer.Typer(
    help="The audit trail of the server.", no_args_is_help=True, rich_markup_mode=None
)

BATCH = 1000

AccountOption = Annotated[
    str | None, typer.Option("--account", help="Only rows that concern this account.")
]


@app.callback()
def audit() -> None:
    """The audit trail of the server."""


@app.command("list")
def list_(
    account: AccountOption = None,
    after: Annotated[int | None, typer.Option(help="Only rows after this one.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="Most rows.")] = 50,
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """List rows: the newest, or those after one, the oldest first."""
    from llmaas_server.gateway.trail_reader import audit_entry

    from .output import print_json, print_table

    with _opened(settings_of(config, home)) as (reader, _, trail):
        rows = reader.look(
            lambda tables: (
                tables.audit.last(limit, account)
                if after is None
                else tables.audit.after(after, limit, account)
            )
        )
        entries = reader.look(lambda tables: [audit_entry(trail, tables, row) for row in rows])
    if as_json:
        print_json([entry.model_dump(mode="json") for entry in entries])
        return
    print_table(
        ("seq", "at", "account", "actor", "action", "target", "outcome"),
        [
            (
                str(entry.seq),
                entry.at.isoformat(sep=" ", timespec="seconds"),
                entry.account_id or "-",
                f"{entry.actor_kind} {entry.actor}",
                entry.action,
                entry.target,
                entry.outcome,
            )
            for entry in entries
        ],
    )


@app.command()
def verify(
    heads: Annotated[
        Path | None, typer.Option(help="A copy of the file of heads that was kept elsewhere.")
    ] = None,
    config: ConfigOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """See whether trail, checkpoints and ledger are as they were written.

    Exits with 1 where something was changed, removed, reordered, cut off or rewritten, and with 2
    where that cannot be found out.
    """
    from llmaas_server.gateway.anchor import AnchorFile, signers
    from llmaas_server.gateway.trail_reader import audit_report
    from llmaas_server.gateway.verification import verify as verified

    from .output import print_json

    settings = settings_of(config, home)
    file = heads_of(settings) if heads is None else AnchorFile(heads)
    with _opened(settings) as (reader, keychain, _):
        report = reader.look(lambda tables: verified(tables, file.read, signers(keychain)))
    if as_json:
        print_json(audit_report(report).model_dump())
    else:
        for flaw in report.flaws:
            typer.echo(f"row {flaw.seq}: {flaw.what}")
        state = "whole" if report.is_whole else "broken"
        typer.echo(
            f"The audit trail is {state}: {report.rows} rows, up to {report.anchored} covered by "
            f"{report.heads} signed heads in {file.path}; {report.digests} digests of the ledger."
        )
    if not report.is_whole:
        raise typer.Exit(BROKEN)


@app.command()
def export(
    file: Annotated[Path | None, typer.Argument(help="Where to; by default to stdout.")] = None,
    account: AccountOption = None,
    config: ConfigOption = None,
    home: HomeOption = None,
) -> None:
    """Write all rows as JSON, one a line, with their details decrypted."""
    with _opened(settings_of(config, home)) as (reader, _, trail):
        if file is None:
            sys.stdout.writelines(_lines(reader, trail, account))
            return
        with file.open("x", encoding="utf-8") as out:
            file.chmod(0o600)
            out.writelines(_lines(reader, trail, account))


@app.command()
def resume(config: ConfigOption = None, home: HomeOption = None) -> None:
    """Begin the file of heads anew, after PostgreSQL's own tools have restored a backup.

    The trail must be whole as far as it goes; that it goes less far than before is written into
    it. The old file of heads is kept. `llmaas restore` does the same by itself.
    """
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.restoring import resume as resumed

    settings = settings_of(config, home)
    with owning(settings) as database:
        rows, lost, kept = resumed(database, source_of(settings), heads_of(settings), wall)
    typer.echo(f"The audit trail goes on after row {rows}; {lost} rows were given up.")
    if kept is not None:
        typer.echo(f"The heads of before lie in {kept}.")


@contextmanager
def _opened(settings: Settings) -> Iterator[tuple[Reader, Keychain, Trail]]:
    """The database, its keys, and what reads details."""
    from llmaas_server.gateway.clock import wall
    from llmaas_server.gateway.keychain import Keychain
    from llmaas_server.gateway.trail import Trail
    from llmaas_server.gateway.vault import Sealer

    with reading(settings) as reader:
        keychain = Keychain.load(reader, source_of(settings))
        yield reader, keychain, Trail(keychain, Sealer(keychain, wall), wall)


def _lines(reader: Reader, trail: Trail, account: str | None) -> Iterator[str]:
    after: int | None = 0
    while after is not None:
        page = reader.look(partial(_page, trail, account, after))
        for entry in page.entries:
            yield entry.model_dump_json() + "\n"
        after = page.next


def _page(trail: Trail, account: str | None, after: int, tables: Tables) -> AuditList:
    from llmaas_server.gateway.trail_reader import audit_page

    return audit_page(trail, tables, after, BATCH, account)
