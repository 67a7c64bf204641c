"""What the commands of `llmaas evaluate` have in common: rows, progress, and how they end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from llmaas_client.errors import LLMaaSError
from llmaas_client.evaluation import Interrupted, Progress, sample
from llmaas_client.evaluation.report.base import Report

from .failures import INTERRUPTED, WrongUsage

A = TypeVar("A")

File = Annotated[
    str,
    typer.Argument(
        metavar="FILE.csv|FILE.jsonl|-", help="Rows with a header, or an object a line; or .gz."
    ),
]
RETRIES = 8
"""A long evaluation waits for a busy server rather than lose what it has."""

TextColumn = Annotated[str, typer.Option("--text-column", help="Where the text stands.")]
Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="DIR", help="Write the report: HTML, Markdown, JSON."),
]
Limit = Annotated[
    int | None, typer.Option("--limit", min=1, metavar="N", help="Take so many rows at random.")
]
Seed = Annotated[int, typer.Option("--seed", help="Of --limit: the same seed takes the same rows.")]
Skip = Annotated[
    bool,
    typer.Option("--skip-refused", help="Leave out rows that the server refuses, and name them."),
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, help="Requests under way.")
]
Batch = Annotated[int, typer.Option("--batch", min=1, max=1024, help="Texts in a request.")]
Json = Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")]
Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Time for each request.")
]


def prepared(
    rows: Iterable[A], limit: int | None, seed: int, look: Callable[[A], None]
) -> tuple[Iterable[A], int]:
    """The rows to ask about, and how many; all of them were read once and looked at, so that
    nothing is asked where one is wrong. Without a limit they are read again, one by one."""

    def seen() -> Generator[A]:
        for row in rows:
            look(row)
            yield row

    if limit is None:
        return rows, sum(1 for _ in seen())
    some = sample(seen(), limit, seed)
    return some, len(some)


@contextmanager
def following(total: int) -> Generator[Progress]:
    """What to call with the number of rows that are done: a bar on a terminal."""
    if not sys.stderr.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    columns = (*Bar.get_default_columns()[:2], MofNCompleteColumn(), TimeRemainingColumn())
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("rows", total=total)
        yield lambda done: bar.update(task, completed=done)


def _nothing(done: int) -> None:
    """Elsewhere than on a terminal."""


def run(
    evaluate: Callable[[Progress], Report], total: int, out: Path | None, as_json: bool
) -> None:
    """Evaluate with a bar and show the report; on Ctrl-C that of what was done."""
    check_folder(out)
    done_rows = 0

    def told(done: int) -> None:
        nonlocal done_rows
        done_rows = done
        progress(done)

    try:
        with following(total) as progress:
            report = evaluate(told)
    except LLMaaSError:
        if done_rows:
            typer.echo(f"{done_rows} of {total} rows were done", err=True)
        raise
    except Interrupted as interrupted:
        done = interrupted.report
        if isinstance(done, Report):
            _show(done, out, as_json)
        typer.echo(f"interrupted: {interrupted.done} of {total} rows were done", err=True)
        raise typer.Exit(INTERRUPTED) from None
    _show(report, out, as_json)


def check_folder(out: Path | None) -> None:
    """Before anything is asked: whether a report can be written."""
    if out is None:
        return
    if out.exists() and not out.is_dir():
        raise WrongUsage(f"{out} is no folder: --out names one for the report")
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise WrongUsage(f"cannot make {out}: {error.strerror}") from None


def _show(report: Report, out: Path | None, as_json: bool) -> None:
    if as_json:
        typer.echo(report.json())
    else:
        from rich.console import Console

        from llmaas_client.evaluation.report.terminal import show

        show(
            report.document(), Console(width=None if sys.stdout.isatty() else 160, highlight=False)
        )
    if out is not None:
        report.save(out)
        typer.echo(f"wrote {out / 'report.html'}, report.md, report.json", err=True)
    elif not as_json:
        typer.echo("plots, and tables of details: --out DIR", err=True)


def renamed(pairs: Sequence[str]) -> dict[str, str]:
    """`0=negative`, as often as it is there."""
    found: dict[str, str] = {}
    for pair in pairs:
        name, equals, other = (part.strip() for part in pair.partition("="))
        if not (name and equals and other):
            raise WrongUsage(f"--rename {pair!r} is not FROM=TO")
        found[name] = other
    return found
