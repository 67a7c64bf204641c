"""`llmaas usage`: what was used, and what it cost."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Option

from llmaas_client.display import clean
from llmaas_client.wire.usage import DIMENSIONS, UsageDimension, UsageGroup, UsageReport

from .completing import model_names
from .failures import WrongUsage
from .managing import TIMEOUT, Account, Json, Seconds, managing
from .naming import account_id, application_id
from .options import BaseURL
from .tables import print_json, print_table

SUMS = ("calls", "prompt", "cached", "completion", "cpu s", "gpu s", "cost")
MICROSECONDS = 1_000_000


def usage(
    by: Annotated[
        list[str] | None,
        Option(metavar="DIMENSION", help=f"{', '.join(DIMENSIONS)}; repeatable."),
    ] = None,
    since: Annotated[
        str | None, Option(metavar="DAY", help="From this day or moment on, in UTC.")
    ] = None,
    until: Annotated[str | None, Option(metavar="DAY", help="Before this day or moment.")] = None,
    account: Account = None,
    application: Annotated[
        str | None, Option(metavar="APPLICATION", help="Only of this one: its id, or its name.")
    ] = None,
    key: Annotated[str | None, Option(metavar="ID", help="Only of this key.")] = None,
    task: Annotated[str | None, Option(metavar="TASK", help="Only of this task.")] = None,
    model: Annotated[
        str | None, Option(metavar="NAME", help="Only of this model.", autocompletion=model_names)
    ] = None,
    as_csv: Annotated[bool, Option("--csv", help="Print CSV, one line for each group.")] = False,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Sum up what calls used, in groups by what --by names.

    llmaas usage --by day --by model --since 2026-01-01
    """
    if as_csv and as_json:
        raise WrongUsage("--csv and --json are two ways to print: choose one")
    dimensions = _dimensions(by or [])
    with managing(base_url, timeout) as client:
        of = account_id(client, account)
        one = application and application_id(client, application, of)

        def page(after: int | None) -> UsageReport:
            return client.usage(
                by=dimensions,
                since=since,
                until=until,
                account_id=of,
                application_id=one,
                key_id=key,
                task=task,
                model=model,
                after=after,
            )

        report = page(None)
        groups, following = list(report.groups), report.next
        while following is not None:
            more = page(following)
            groups += more.groups
            following = more.next
    whole = report.model_copy(update={"groups": groups, "next": None})
    if as_csv:
        typer.echo(whole.to_csv(), nl=False)
    elif as_json:
        print_json(whole.model_dump(mode="json"))
    else:
        _print(whole)


def _dimensions(names: list[str]) -> list[UsageDimension]:
    known: dict[str, UsageDimension] = {name: name for name in DIMENSIONS}
    for name in names:
        if name not in known:
            raise WrongUsage(f"--by {name!r} is none of: {', '.join(DIMENSIONS)}")
    return [known[name] for name in names if name in known]


def _print(report: UsageReport) -> None:
    rows = [
        (*(clean(str(getattr(group, name))) for name in report.by), *_sums(group))
        for group in report.groups
        if report.by
    ]
    total = ["total", *[""] * (len(report.by) - 1)] if report.by else []
    print_table((*report.by, *SUMS), [*rows, (*total, *_sums(report.total))])


def _sums(group: UsageGroup) -> tuple[str, ...]:
    return (
        str(group.calls),
        str(group.prompt_tokens),
        str(group.cached_tokens),
        str(group.completion_tokens),
        f"{group.cpu_us / MICROSECONDS:.3f}",
        f"{group.gpu_us / MICROSECONDS:.3f}",
        group.cost,
    )
