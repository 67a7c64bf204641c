"""`llmaas keys`: make, list, change, rotate and revoke keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from llmaas_client.display import clean
from llmaas_client.wire.keys import CreatedKey, Key

from .changes import check_some, chosen, typed
from .completing import model_names
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
from .managing import TIMEOUT, Account, Json, Seconds, managing
from .naming import account_id, application_id
from .options import BaseURL
from .tables import moment, print_list, print_one, print_told, words

keys = typer.Typer(
    help="Keys: list, make, change, rotate, revoke.", no_args_is_help=True, rich_markup_mode=None
)

Id = Annotated[str, typer.Argument(metavar="ID", show_default=False)]
Application = Annotated[
    str | None,
    typer.Option("--application", metavar="APPLICATION", help="Of which one: its id, or its name."),
]
Tasks = Annotated[
    list[str] | None, typer.Option("--task", metavar="TASK", help="What it may run; repeatable.")
]
Models = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="With which models; repeatable.",
        autocompletion=model_names,
    ),
]
Actions = Annotated[
    list[str] | None,
    typer.Option(
        "--action",
        metavar="ACTION",
        help="What a management key may do, such as keys:write; `*` is all; repeatable.",
    ),
]


@keys.command("list")
def list_(
    application: Application = None,
    account: Account = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """List the keys of an account or of one application; without their secrets."""
    with managing(base_url, timeout) as client:
        of = account_id(client, account)
        one = application and application_id(client, application, of)
        found = client.account.keys.list(account_id=of, application_id=one)
    print_list(
        found,
        as_json,
        {
            "id": lambda one: one.id,
            "name": lambda one: clean(one.name),
            "kind": lambda one: one.kind,
            "status": lambda one: one.status,
            "application": lambda one: one.application_id or "-",
            "for": _purpose,
            "expires": lambda one: moment(one.expires_at),
            "last used": lambda one: one.last_used or "-",
        },
    )


@keys.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    application: Application = None,
    account: Account = None,
    management: Annotated[
        bool, typer.Option("--management", help="A key that manages, and runs no tasks.")
    ] = False,
    task: Tasks = None,
    model: Models = None,
    action: Actions = None,
    days: Annotated[
        int | None, typer.Option(min=1, max=36_500, help="How long it is good.")
    ] = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrency: Concurrency = None,
    budget: BudgetText = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make a key and print it: this once, for the server does not keep it.

    llmaas keys create reports --task summarize --budget 1/day
    """
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    with managing(base_url, timeout) as client:
        of = account_id(client, account)
        made = client.account.keys.create(
            name,
            kind="management" if management else "inference",
            application_id=application and application_id(client, application, of),
            account_id=of,
            tasks=task or None,
            models=model or None,
            actions=action or None,
            limits=chosen(limits),
            budget=chosen(money),
            expires_at=None if days is None else datetime.now(UTC) + timedelta(days=days),
        )
    _print_created(made, as_json)


@keys.command()
def show(
    key: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Show a key, its limits, and where its budget stands; without its secret."""
    with managing(base_url, timeout) as client:
        found = client.account.keys.show(key)
    _print(found, as_json)


@keys.command()
def update(
    key: Id,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    task: Tasks = None,
    model: Models = None,
    action: Actions = None,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrency: Concurrency = None,
    budget: BudgetText = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Change what is named; the rest stays. `*` is all tasks, models or actions.

    llmaas keys update key_0123456789ab --task chat --task classify
    """
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    tasks, models, actions = typed(task or None), typed(model or None), typed(action or None)
    check_some(typed(name), tasks, models, actions, limits, money)
    with managing(base_url, timeout) as client:
        before = client.account.keys.show(key)
        after = client.account.keys.update(
            before.id,
            name=typed(name),
            tasks=tasks,
            models=models,
            actions=actions,
            limits=limits_of(requests_per_minute, tokens_per_minute, concurrency, before.limits),
            budget=money,
        )
    _print(after, as_json)


@keys.command()
def rotate(
    key: Id,
    grace: Annotated[
        int | None,
        typer.Option(
            min=0, metavar="SECONDS", help="How long the old key stays good; else as the server is."
        ),
    ] = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make the key that follows this one and print it; the old one ends after a grace."""
    with managing(base_url, timeout) as client:
        made = client.account.keys.rotate(key, grace_seconds=grace)
    _print_created(made, as_json)


@keys.command()
def revoke(
    key: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """End a key at once, and all that runs for it."""
    with managing(base_url, timeout) as client:
        gone = client.account.keys.revoke(key)
    print_told(gone, as_json, f"{gone.id} is {gone.status}")


def _purpose(key: Key) -> str:
    return words(key.tasks if key.kind == "inference" else key.actions)


def _print_created(key: CreatedKey, as_json: bool) -> None:
    """The secret alone on standard output, so that it can go where it belongs."""
    follows = f"; it follows {key.replaces}" if key.replaces else ""
    aside = f"{key.id} is for: {_purpose(key)}{follows}. Keep it now: it is not shown again."
    print_told(key, as_json, key.secret, aside)


def _print(key: Key, as_json: bool) -> None:
    may = (
        {"tasks": words(key.tasks), "models": words(key.models)}
        if key.kind == "inference"
        else {"actions": words(key.actions)}
    )
    print_one(
        key,
        as_json,
        {
            "id": key.id,
            "name": clean(key.name),
            "kind": key.kind,
            "status": key.status,
            "account": key.account_id,
            "application": key.application_id or "-",
            **may,
            "limits": limits_words(key.limits),
            "budget": budget_words(key.budget),
            "created": moment(key.created_at),
            "expires": moment(key.expires_at),
            "last used": key.last_used or "-",
            "follows": key.replaces or "-",
        },
    )
