"""`llmaas classifiers`: make classifiers from examples of yours, and look at them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from llmaas_client.display import clean
from llmaas_client.wire.classifiers import Classifier, ClassifierCard, Interval

from .failures import WrongUsage
from .inputs import table
from .options import TIMEOUT, BaseURL, Json, Model, Seconds, connect
from .tables import moment, print_fields, print_list, print_table

MOST_CONFUSIONS = 10

classifiers = typer.Typer(
    help="Classifiers made from examples: create, list, show, export, import, rm.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Name = Annotated[str, typer.Argument(metavar="NAME[@VERSION]", show_default=False)]


@classifiers.command()
def create(
    file: Annotated[
        str, typer.Argument(metavar="FILE.csv|FILE.jsonl|-", help="Rows of a text and its label.")
    ],
    name: Annotated[str | None, typer.Option(help="Else that of the file.")] = None,
    text_column: Annotated[str, typer.Option(help="Where the text stands.")] = "text",
    label_column: Annotated[str, typer.Option(help="Where the label stands.")] = "label",
    out_of_scope: Annotated[
        str | None,
        typer.Option(metavar="LABEL", help="Rows of this label deserve none of the others."),
    ] = None,
    scope_quantile: Annotated[
        float | None, typer.Option(help="Refuse what fits worse than this share of the examples.")
    ] = None,
    calibration: Annotated[
        Literal["auto", "temperature", "per_class"],
        typer.Option(help="What makes scores probabilities; auto takes what is clearly better."),
    ] = "auto",
    model: Model = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make a classifier, or the next version of one that is there."""
    rows = read_rows(file, text_column, label_column)
    strangers = [text for text, label in rows if label == out_of_scope]
    if out_of_scope is not None and not strangers:
        raise WrongUsage(f"no row of {file} has the label {out_of_scope!r}")
    with connect(base_url, timeout) as client:
        made = client.classifiers.create(
            name or Path(file).stem,
            [row for row in rows if row[1] != out_of_scope],
            out_of_scope=strangers or None,
            scope_quantile=scope_quantile,
            calibration=calibration,
            model=model,
        )
    if as_json:
        typer.echo(made.model_dump_json())
        return
    print_classifier(made.classifier)


@classifiers.command("list")
def list_(as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT) -> None:
    """List the classifiers of the account."""
    with connect(base_url, timeout) as client:
        found = client.classifiers.list()
    print_list(
        found,
        as_json,
        {
            "name": lambda one: f"{one.name}@{one.version}",
            "model": lambda one: clean(one.model),
            "labels": lambda one: str(one.labels),
            "examples": lambda one: str(one.examples),
            "accuracy": lambda one: _percent(one.accuracy),
            "created": lambda one: moment(one.created_at),
        },
    )


@classifiers.command()
def show(
    name: Name, as_json: Json = False, base_url: BaseURL = None, timeout: Seconds = TIMEOUT
) -> None:
    """Show what cross-validation says of a classifier."""
    with connect(base_url, timeout) as client:
        found = client.classifiers.get(name)
    if as_json:
        typer.echo(found.model_dump_json())
        return
    print_classifier(found)


@classifiers.command()
def export(
    name: Name,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Else NAME.safetensors.")
    ] = None,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Take a classifier away as one file; its examples are not in it."""
    with connect(base_url, timeout) as client:
        content = client.classifiers.export(name)
    path = output or Path(f"{name.replace('@', '-')}.safetensors")
    try:
        path.write_bytes(content)
    except OSError as error:
        raise WrongUsage(f"cannot write {path}: {error.strerror}") from None
    typer.echo(str(path))


@classifiers.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    name: Annotated[str | None, typer.Option(help="Else that of the file.")] = None,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Bring a file of `export`."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise WrongUsage(f"cannot read {file}: {error.strerror}") from None
    with connect(base_url, timeout) as client:
        found = client.classifiers.import_(name or file.stem, content)
    typer.echo(f"{found.name}@{found.version}")


@classifiers.command()
def rm(name: Name, base_url: BaseURL = None, timeout: Seconds = TIMEOUT) -> None:
    """Delete a version, or all of a name, with their examples."""
    with connect(base_url, timeout) as client:
        gone = client.classifiers.delete(name)
    typer.echo(f"{gone.versions} deleted")


def read_rows(file: str, text_column: str, label_column: str) -> list[tuple[str, str]]:
    """Text and label of each row of a CSV file with a header, or of a JSONL file."""
    rows = table(file, text_column, label_column)
    return [(row.text(text_column), row.label(label_column)) for row in rows]


def print_classifier(found: Classifier) -> None:
    card, evaluation = found.card, found.evaluation
    fields = {
        "name": f"{found.name}@{found.version}",
        "model": clean(card.model),
        "labels": str(len(card.labels)),
        "examples": f"{evaluation.examples}, tried in {evaluation.folds} folds",
        "accuracy": f"{_percent(evaluation.accuracy)} (majority {evaluation.majority:.1%})",
        "macro F1": f"{evaluation.macro_f1:.3f}",
        "calibration": _calibration(card),
        "calibration error": f"{_percent(evaluation.ece_before)}, then "
        f"{_percent(evaluation.ece_after)}",
    }
    if card.scope is not None:
        fields["scope"] = f"from {card.scope.threshold:.3g} on, by {card.scope.basis}"
    if evaluation.out_of_scope_auroc is not None:
        fields["scope AUROC"] = f"{evaluation.out_of_scope_auroc:.3f}"
    print_fields(fields)
    if evaluation.confusions:
        typer.echo()
        rows = [
            (clean(one.label), clean(one.predicted), str(one.count))
            for one in evaluation.confusions[:MOST_CONFUSIONS]
        ]
        print_table(("label", "taken for", "times"), rows)
    for warning in evaluation.warnings:
        typer.echo(f"warning: {clean(warning)}", err=True)


def _calibration(card: ClassifierCard) -> str:
    told = f"{card.calibration}, T = {card.temperature:.3g}"
    if card.per_class is None:
        return told
    scales, offsets = card.per_class.scales, card.per_class.offsets
    return (
        f"{told}, scales from {min(scales):.2f} to {max(scales):.2f}, "
        f"offsets from {min(offsets):.2f} to {max(offsets):.2f}"
    )


def _percent(figure: Interval) -> str:
    return f"{figure.value:.1%} ({figure.low:.1%} to {figure.high:.1%})"
