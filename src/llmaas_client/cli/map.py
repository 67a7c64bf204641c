"""`llmaas map`: a task for every row of a file, with progress, and going on after a stop."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from llmaas_client.errors import LLMaaSError

from .classify import choices
from .failures import FAILED, INTERRUPTED, WrongUsage
from .options import BaseURL, Model, Seconds, connect

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapResult

    from .sheets import Row

Task = Literal["classify", "summarize", "chat", "embed"]

OPTIONS: dict[Task, tuple[str, ...]] = {
    "classify": ("labels", "classifier", "multi", "threshold", "max_error"),
    "summarize": ("method", "length", "max_words", "style", "focus", "strict"),
    "chat": ("system", "max_tokens", "temperature", "seed"),
    "embed": (),
}
"""Which options a task has, beside the model."""

COLUMNS: dict[Task, tuple[str, ...]] = {
    "classify": ("label", "score", "labels", "abstained"),
    "summarize": ("summary", "words", "coverage", "method"),
    "chat": ("reply", "finish_reason"),
    "embed": ("embedding",),
}
"""What a task adds to a row; `classify` adds a `score of …` for each label, too."""


def map(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="CSV, JSONL (both may be .gz) or Parquet.")
    ],
    task: Annotated[Task, typer.Option(help="What to do with each row.")],
    out: Annotated[
        Path,
        typer.Option("--out", "-o", metavar="FILE", help="Ends with .csv, .jsonl or .parquet."),
    ],
    column: Annotated[str, typer.Option(help="The column that has the text.")] = "text",
    keep: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Columns of the rows to keep; else all of them."),
    ] = None,
    prefix: Annotated[
        str, typer.Option(help="Before the name of each new column, so that none meets another.")
    ] = "",
    labels: Annotated[
        str | None, typer.Option(metavar="A,B,C", help="classify: labels to choose from.")
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=DESCRIPTION", help="classify: one more label; repeatable."),
    ] = None,
    classifier: Annotated[
        str | None, typer.Option(help="classify: a classifier of yours, instead of labels.")
    ] = None,
    multi: Annotated[bool, typer.Option("--multi", help="classify: several may hold.")] = False,
    threshold: Annotated[
        float | None, typer.Option(help="classify: abstain below this score.")
    ] = None,
    max_error: Annotated[
        float | None, typer.Option(help="classify with a classifier: abstain for fewer errors.")
    ] = None,
    method: Annotated[
        str | None, typer.Option(help="summarize: extractive or abstractive.")
    ] = None,
    length: Annotated[str | None, typer.Option(help="summarize: short, medium or long.")] = None,
    max_words: Annotated[int | None, typer.Option(help="summarize: most words.")] = None,
    style: Annotated[
        str | None, typer.Option(help="summarize: paragraph, bullets or headline.")
    ] = None,
    focus: Annotated[str | None, typer.Option(help="summarize: what it is to be about.")] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="summarize: leave out what the text does not support.")
    ] = False,
    system: Annotated[str | None, typer.Option(help="chat: what to do with each text.")] = None,
    max_tokens: Annotated[int | None, typer.Option(help="chat: most tokens of a reply.")] = None,
    temperature: Annotated[float | None, typer.Option(help="chat: 0 is the likeliest.")] = None,
    seed: Annotated[int | None, typer.Option(help="chat: the same replies again.")] = None,
    model: Model = None,
    concurrency: Annotated[
        int | None, typer.Option(help="Most requests at once; else as the server is glad of.")
    ] = None,
    batch_size: Annotated[int | None, typer.Option(help="Most texts of one request.")] = None,
    checkpoint: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Keeps what is done; else OUT.checkpoint.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write over a file of an earlier run.")
    ] = False,
    base_url: BaseURL = None,
    timeout: Seconds = 600.0,
) -> None:
    """Do a task for every row of a file.

    llmaas map in.csv --task classify --labels praise,complaint -o out.csv
    """
    from .sheets import read, writer_of

    write = writer_of(out)
    given = {
        "labels": choices(labels, label or []),
        "classifier": classifier,
        "multi": multi,
        "threshold": threshold,
        "max_error": max_error,
        "method": method,
        "length": length,
        "max_words": max_words,
        "style": style,
        "focus": focus,
        "strict": strict,
        "system": system,
        "max_tokens": max_tokens,
        "temperature": temperature,
        "seed": seed,
    }
    arguments = _arguments(task, given)
    place = checkpoint or out.with_name(f"{out.name}.checkpoint")
    _check_places(file, out, place, force)
    kept = None if keep is None else [name.strip() for name in keep.split(",") if name.strip()]
    rows = read(file, column, kept)
    _check_columns(task, rows, prefix)

    def save(results: MapResult[Any]) -> None:
        write(out, _table(task, results, rows, prefix))

    with connect(base_url, timeout) as client:
        try:
            results = getattr(client, task).map(
                [row.text for row in rows],
                on_error="return",
                progress=True,
                checkpoint=place,
                concurrency=concurrency or "auto",
                batch_size=batch_size,
                model=model,
                **arguments,
            )
        except (KeyboardInterrupt, LLMaaSError) as error:
            done: MapResult[Any] | None = getattr(error, "results", None)
            if done is None or not done.items:
                raise
            save(done)
            typer.echo(_resume(len(done.items), len(rows), out), err=True)
            if isinstance(error, KeyboardInterrupt):
                raise typer.Exit(INTERRUPTED) from None
            raise
    save(results)
    failed = len(results.errors)
    typer.echo(f"wrote {len(rows)} rows to {out}" + (f", {failed} with an error" * bool(failed)))
    if failed:
        typer.echo("The same command works on those again, and on no others.", err=True)
        raise typer.Exit(FAILED)
    place.unlink(missing_ok=True)


def _arguments(task: Task, given: dict[str, Any]) -> dict[str, Any]:
    """Those that were typed. Raises WrongUsage for one that is of another task."""
    typed = {
        name: value for name, value in given.items() if value is not None and value is not False
    }
    for name in typed:
        if name not in OPTIONS[task]:
            owner = next(other for other, names in OPTIONS.items() if name in names)
            option = name.replace("_", "-")
            raise WrongUsage(f"--{option} is for --task {owner}, and this is --task {task}")
    return typed


def _check_places(file: Path, out: Path, checkpoint: Path, force: bool) -> None:
    if out.resolve() == file.resolve():
        raise WrongUsage(f"--out {out} is the file that is read: name another one")
    if checkpoint.resolve() in (out.resolve(), file.resolve()):
        raise WrongUsage(f"--checkpoint {checkpoint} is a file of rows: name another one")
    if not out.parent.is_dir():
        raise WrongUsage(f"there is no folder {out.parent} for --out: make it first")
    if out.exists() and not checkpoint.exists() and not force:
        raise WrongUsage(f"{out} is there already: name another file, or add --force")


def _check_columns(task: Task, rows: list[Row], prefix: str) -> None:
    """Before anything is sent: a new column must not hide one that is there."""
    new = {prefix + name for name in (*COLUMNS[task], "error")}
    scores = f"{prefix}score of "
    for name in dict.fromkeys(name for row in rows for name in row.fields):
        if name in new or (task == "classify" and name.startswith(scores)):
            raise WrongUsage(
                f"the rows have a column {name!r}, which {task} adds as well: "
                f"add --prefix {task}_, or leave it out with --keep"
            )


def _table(
    task: Task, results: MapResult[Any], rows: list[Row], prefix: str
) -> list[dict[str, Any]]:
    """The rows that were worked on, each with what came of it."""
    empty = {prefix + name: None for name in COLUMNS[task]}
    return [
        {
            **rows[item.index].fields,
            **empty,
            **{prefix + name: value for name, value in _new(task, results.row_of(item)).items()},
            f"{prefix}error": None if item.error is None else str(item.error),
        }
        for item in results.items
    ]


def _new(task: Task, row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A reply is not called `text`: most files have a column of that name already."""
    if task != "chat" or not row:
        return row
    return {"reply": row["text"], "finish_reason": row["finish_reason"]}


def _resume(done: int, total: int, out: Path) -> str:
    return f"\nstopped: {done} of {total} rows are in {out}; the same command goes on from there"
