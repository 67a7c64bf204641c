"""`llmaas accounts`: make and change accounts; invite people, sign in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from llmaas_client.client import Client
from llmaas_client.display import clean
from llmaas_client.wire.accounts import Account, Role

from . import people
from .changes import check_some, chosen, typed
from .failures import WrongUsage
from .limits import (
    BudgetText,
    Concurrency,
    RequestsPerMinute,
    TokensPerMinute,
    budget_of,
    budget_words,
    limits_of,
    limits_words,
)
from .managing import TIMEOUT, Json, Seconds, managing
from .naming import ME, account_id, every_account
from .options import BaseURL
from .passwords import ask
from .tables import moment, print_list, print_one, print_told

accounts = typer.Typer(
    help="Accounts: list, make, change, suspend, erase; invite people, sign in.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Id = Annotated[
    str, typer.Argument(metavar="ACCOUNT", help="Its id, or its name.", show_default=False)
]
OwnId = Annotated[
    str,
    typer.Argument(metavar="ACCOUNT", help="Its id, or its name; without it that of the key."),
]


@accounts.command("list")
def list_(as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT) -> None:
    """List the accounts that the key reaches: for an operator, all of them."""
    with managing(base_url, timeout) as client:
        found = list(every_account(client))
    print_list(
        found,
        as_json,
        {
            "id": lambda one: one.id,
            "name": lambda one: clean(one.name),
            "status": lambda one: one.status,
            "role": lambda one: one.role,
            "limits": lambda one: limits_words(one.limits),
            "budget": lambda one: budget_words(one.budget),
        },
    )


@accounts.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    email: Annotated[
        str | None,
        typer.Option(help="Of its owner, to sign in with; the password is asked for."),
    ] = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrency: Concurrency = None,
    budget: BudgetText = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make an account, with one application called `default`.

    llmaas accounts create acme --budget 10/month
    """
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    password = None if email is None else ask(twice=True)
    with managing(base_url, timeout) as client:
        made = client.accounts.create(
            name, email=email, password=password, limits=chosen(limits), budget=chosen(money)
        )
    _print(made, as_json)


@accounts.command()
def show(
    account: OwnId = ME,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Show an account, its limits, and where its budget stands."""
    with managing(base_url, timeout) as client:
        found = client.accounts.show(_id(client, account))
    _print(found, as_json)


@accounts.command()
def update(
    account: OwnId = ME,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    role: Annotated[
        Role | None,
        typer.Option(help="Whether it runs the server: the key that asks must be for `*`."),
    ] = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrency: Concurrency = None,
    budget: BudgetText = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Change what is named; the rest stays.

    llmaas accounts update acc_0123456789ab --concurrency 8 --budget none
    """
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    check_some(typed(name), typed(role), limits, money)
    with managing(base_url, timeout) as client:
        before = client.accounts.show(_id(client, account))
        after = client.accounts.update(
            before.id,
            name=typed(name),
            role=typed(role),
            limits=limits_of(requests_per_minute, tokens_per_minute, concurrency, before.limits),
            budget=money,
        )
    _print(after, as_json)


@accounts.command()
def suspend(
    account: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Let its keys do nothing, and end what runs for them, until it is resumed."""
    with managing(base_url, timeout) as client:
        after = client.accounts.suspend(_id(client, account))
    _print(after, as_json)


@accounts.command()
def resume(
    account: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Let its keys work again."""
    with managing(base_url, timeout) as client:
        after = client.accounts.resume(_id(client, account))
    _print(after, as_json)


@accounts.command()
def export(
    account: Id,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where to; else standard output.")
    ] = None,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Take away all that belongs to an account, as one JSON document."""
    if file is not None and file.exists():
        raise WrongUsage(f"{file} is there already: name another file")
    with managing(base_url, timeout) as client:
        content = client.accounts.export(_id(client, account))
    if file is None:
        sys.stdout.buffer.write(content)
        return
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(content)


@accounts.command()
def erase(
    account: Id,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether it is meant.")] = False,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Delete what is kept of the account's people and texts, for ever; its keys end.

    What it used stays in the ledger, without the person.
    """
    if not yes and not sys.stdin.isatty():
        raise WrongUsage("this cannot be undone: say --yes where nobody can be asked")
    if not yes:
        typer.confirm(f"Erase {account} for ever?", abort=True)
    with managing(base_url, timeout) as client:
        gone = client.accounts.erase(_id(client, account))
    print_told(gone, as_json, f"erased {gone.id}")


for command, name in people.COMMANDS:
    accounts.command(name)(command)


def _print(account: Account, as_json: bool) -> None:
    print_one(
        account,
        as_json,
        {
            "id": account.id,
            "name": clean(account.name),
            "status": account.status,
            "role": account.role,
            "limits": limits_words(account.limits),
            "budget": budget_words(account.budget),
            "created": moment(account.created_at),
        },
    )


def _id(client: Client, word: str) -> str:
    return account_id(client, word) or ME
