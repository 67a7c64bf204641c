"""`llmaas applications`: make and change what an account uses the service for."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from llmaas_client.display import clean
from llmaas_client.steps import UNSET
from llmaas_client.wire.applications import Application

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
from .tables import moment, print_list, print_one, words

applications = typer.Typer(
    help="Applications: list, make, change, delete.", no_args_is_help=True, rich_markup_mode=None
)

Id = Annotated[
    str, typer.Argument(metavar="APPLICATION", help="Its id, or its name.", show_default=False)
]
Tasks = Annotated[
    list[str] | None,
    typer.Option("--task", metavar="TASK", help="What its keys may run; repeatable."),
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


@applications.command("list")
def list_(
    account: Account = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """List the applications of an account."""
    with managing(base_url, timeout) as client:
        found = client.account.applications.list(account_id=account_id(client, account))
    print_list(
        found,
        as_json,
        {
            "id": lambda one: one.id,
            "name": lambda one: clean(one.name),
            "status": lambda one: one.status,
            "tasks": lambda one: words(one.tasks),
            "models": lambda one: words(one.models),
            "limits": lambda one: limits_words(one.limits),
            "budget": lambda one: budget_words(one.budget),
        },
    )


@applications.command()
def create(
    name: Annotated[str, typer.Argument(metavar="NAME", show_default=False)],
    account: Account = None,
    task: Tasks = None,
    model: Models = None,
    retention: Annotated[
        bool, typer.Option("--retention", help="Keep prompts and answers, encrypted.")
    ] = False,
    requests_per_minute: RequestsPerMinute = None,
    tokens_per_minute: TokensPerMinute = None,
    concurrency: Concurrency = None,
    budget: BudgetText = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make an application; without --task and --model its keys may use all of them.

    llmaas applications create reports --task summarize --budget 5/month
    """
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    with managing(base_url, timeout) as client:
        made = client.account.applications.create(
            name,
            account_id=account_id(client, account),
            tasks=task or None,
            models=model or None,
            limits=chosen(limits),
            budget=chosen(money),
            retention=retention,
        )
    _print(made, as_json)


@applications.command()
def show(
    application: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Show an application, its limits, and where its budget stands."""
    with managing(base_url, timeout) as client:
        found = client.account.applications.show(application_id(client, application))
    _print(found, as_json)


@applications.command()
def update(
    application: Id,
    name: Annotated[str | None, typer.Option(help="Its new name.")] = None,
    task: Tasks = None,
    model: Models = None,
    any_task: Annotated[bool, typer.Option("--any-task", help="All tasks.")] = False,
    any_model: Annotated[bool, typer.Option("--any-model", help="All models.")] = False,
    retention: Annotated[
        bool | None,
        typer.Option("--retention/--no-retention", help="Whether prompts and answers are kept."),
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

    llmaas applications update app_0123456789ab --any-model --concurrency 4
    """
    tasks = None if any_task else task or UNSET
    models = None if any_model else model or UNSET
    limits = limits_of(requests_per_minute, tokens_per_minute, concurrency)
    money = budget_of(budget)
    check_some(typed(name), tasks, models, typed(retention), limits, money)
    with managing(base_url, timeout) as client:
        before = client.account.applications.show(application_id(client, application))
        after = client.account.applications.update(
            before.id,
            name=typed(name),
            tasks=tasks,
            models=models,
            retention=typed(retention),
            limits=limits_of(requests_per_minute, tokens_per_minute, concurrency, before.limits),
            budget=money,
        )
    _print(after, as_json)


@applications.command()
def suspend(
    application: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Let its keys run nothing until it is resumed."""
    _set_status(application, "suspended", as_json, base_url, timeout)


@applications.command()
def resume(
    application: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Let its keys work again."""
    _set_status(application, "active", as_json, base_url, timeout)


@applications.command()
def delete(
    application: Id, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Close an application and revoke its keys; what it used stays in the ledger."""
    with managing(base_url, timeout) as client:
        after = client.account.applications.delete(application_id(client, application))
    _print(after, as_json)


def _set_status(
    application: str,
    status: Literal["active", "suspended"],
    as_json: bool,
    base_url: str | None,
    timeout: float,
) -> None:
    with managing(base_url, timeout) as client:
        found = application_id(client, application)
        after = client.account.applications.update(found, status=status)
    _print(after, as_json)


def _print(application: Application, as_json: bool) -> None:
    print_one(
        application,
        as_json,
        {
            "id": application.id,
            "account": application.account_id,
            "name": clean(application.name),
            "status": application.status,
            "tasks": words(application.tasks),
            "models": words(application.models),
            "limits": limits_words(application.limits),
            "budget": budget_words(application.budget),
            "retention": "on" if application.retention else "off",
            "created": moment(application.created_at),
        },
    )
