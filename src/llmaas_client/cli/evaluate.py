"""`llmaas evaluate`: how good answers are on texts of yours, and whether they are fair."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Literal

import typer

from llmaas_client import evaluation
from llmaas_client.evaluation.asking import BATCH, CONCURRENCY
from llmaas_client.evaluation.classification import names_of
from llmaas_client.evaluation.files import CaseFile, LabelledFile, ReferencedFile
from llmaas_client.evaluation.summarization import CONCURRENCY as FEW
from llmaas_client.evaluation.tally import unknown_label

from .classify import choices
from .evaluating import (
    RETRIES,
    Batch,
    Concurrency,
    File,
    Json,
    Limit,
    Out,
    Seconds,
    Seed,
    Skip,
    TextColumn,
    check_folder,
    prepared,
    renamed,
    run,
)
from .failures import WrongUsage
from .inputs import table
from .options import TIMEOUT, BaseURL, Model, connect

evaluate = typer.Typer(
    help="Measure classify and summarize on texts of yours, with baselines and intervals.",
    no_args_is_help=True,
    rich_markup_mode=None,
)

Labels = Annotated[
    str | None,
    typer.Option("--labels", metavar="A,B,C", help="Labels to choose from, with commas."),
]
Label = Annotated[
    list[str] | None,
    typer.Option("--label", metavar="NAME=DESCRIPTION", help="One more label; repeatable."),
]
Classifier = Annotated[
    str | None,
    typer.Option("--classifier", metavar="NAME[@VERSION]", help="One of yours, instead."),
]
Template = Annotated[
    str | None, typer.Option("--hypothesis-template", help="A sentence with {} for the label.")
]


@evaluate.command()
def classify(
    file: File,
    text_column: TextColumn = "text",
    label_column: Annotated[str, typer.Option(help="Where the label stands.")] = "label",
    labels: Labels = None,
    label: Label = None,
    file_labels: Annotated[
        bool, typer.Option("--file-labels", help="Choose from the labels that the file has.")
    ] = False,
    classifier: Classifier = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(metavar="FROM=TO", help="A label of the file by another name; repeatable."),
    ] = None,
    threshold: Annotated[float | None, typer.Option(help="Abstain below this score.")] = None,
    max_error: Annotated[
        float | None, typer.Option(help="With a classifier: most of the answers that are wrong.")
    ] = None,
    hypothesis_template: Template = None,
    model: Model = None,
    limit: Limit = None,
    seed: Seed = 0,
    skip_refused: Skip = False,
    batch: Batch = BATCH,
    concurrency: Concurrency = CONCURRENCY,
    out: Out = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Compare classify with labels that are known: accuracy, F1, calibration, abstention.

    llmaas evaluate classify reviews.csv --labels negative,positive --out report
    """
    wanted = choices(labels, label or [])
    if sum((wanted is not None, file_labels, classifier is not None)) > 1:
        raise WrongUsage("--labels, --file-labels and --classifier are three ways: give one")
    rows = LabelledFile(
        table(file, text_column, label_column), text_column, label_column, renamed(rename or [])
    )
    seen: set[str] = set()
    known = None if wanted is None else names_of(wanted)

    def look(row: evaluation.Labelled) -> None:
        seen.add(row.label)
        if known is not None and row.label not in known:
            raise unknown_label(row.label, row.where, known)

    some, total = prepared(rows, limit, seed, look)
    if file_labels:
        wanted = sorted(seen)
    check_folder(out)
    with connect(base_url, timeout, RETRIES) as client, _predictions(out) as write:
        run(
            lambda progress: evaluation.classify(
                client,
                some,
                labels=wanted,
                classifier=classifier,
                model=model,
                threshold=threshold,
                max_error=max_error,
                hypothesis_template=hypothesis_template,
                skip_refused=skip_refused,
                batch=batch,
                concurrency=concurrency,
                progress=progress,
                predictions=write,
            ),
            total,
            out,
            as_json,
        )


@evaluate.command()
def summarize(
    file: File,
    text_column: TextColumn = "text",
    reference_column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Where a reference stands, or a list of them; repeatable."
        ),
    ] = None,
    method: Annotated[
        Literal["auto", "extractive", "abstractive"] | None,
        typer.Option(help="Pick sentences of the source, or write new ones."),
    ] = None,
    length: Annotated[
        Literal["short", "medium", "long"] | None, typer.Option(help="About 2, 4 or 8 sentences.")
    ] = None,
    max_words: Annotated[int | None, typer.Option(help="Most words; never exceeded.")] = None,
    style: Annotated[
        Literal["paragraph", "bullets", "headline"] | None, typer.Option(help="How it is laid out.")
    ] = None,
    focus: Annotated[str | None, typer.Option(help="A question or topic for all texts.")] = None,
    focus_column: Annotated[
        str | None, typer.Option(help="Where a question or topic of each row's own stands.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave out sentences that the text does not support.")
    ] = False,
    strategy: Annotated[
        Literal["auto", "extract", "hierarchical"] | None,
        typer.Option(help="How long texts are read that are to be written anew."),
    ] = None,
    model: Model = None,
    limit: Limit = None,
    seed: Seed = 0,
    skip_refused: Skip = False,
    concurrency: Concurrency = FEW,
    out: Out = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Compare summaries with references by ROUGE, beside the first sentences and random ones.

    llmaas evaluate summarize papers.jsonl --reference-column abstract --length short
    """
    columns = reference_column or ["reference"]
    more = [] if focus_column is None else [focus_column]
    rows = ReferencedFile(
        table(file, text_column, *columns, *more), text_column, columns, focus_column
    )
    some, total = prepared(rows, limit, seed, lambda row: None)
    with connect(base_url, timeout, RETRIES) as client:
        run(
            lambda progress: evaluation.summarize(
                client,
                some,
                method=method,
                length=length,
                max_words=max_words,
                style=style,
                focus=focus,
                strict=strict or None,
                strategy=strategy,
                model=model,
                skip_refused=skip_refused,
                concurrency=concurrency,
                progress=progress,
            ),
            total,
            out,
            as_json,
        )


@evaluate.command()
def fairness(
    file: File,
    positive: Annotated[
        str, typer.Option(metavar="LABEL", help="The label whose score is looked at.")
    ],
    text_column: TextColumn = "text",
    label_column: Annotated[
        str | None, typer.Option(help="Where labels stand, if rows have them: for the AUCs.")
    ] = None,
    positive_in_file: Annotated[
        str | None, typer.Option(metavar="LABEL", help="What the file calls the positive label.")
    ] = None,
    labels: Labels = None,
    label: Label = None,
    classifier: Classifier = None,
    threshold: Annotated[
        float | None,
        typer.Option(help="From which score on a text is positive; else where it is best."),
    ] = None,
    group: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="One of the groups that come along; repeatable."),
    ] = None,
    swap: Annotated[
        list[str] | None, typer.Option(metavar="he=she", help="Words of yours; repeatable.")
    ] = None,
    swaps: Annotated[
        Path | None, typer.Option(metavar="FILE.toml", help="Groups of words of yours.")
    ] = None,
    term: Annotated[
        list[str] | None,
        typer.Option(metavar="WORD", help="For the AUCs, instead of those known; repeatable."),
    ] = None,
    version_column: Annotated[
        str | None, typer.Option(help="Where rows say of which text they are a version.")
    ] = None,
    identity_column: Annotated[
        str | None, typer.Option(help="Where such rows say of whom they speak.")
    ] = None,
    hypothesis_template: Template = None,
    model: Model = None,
    limit: Limit = None,
    seed: Seed = 0,
    skip_refused: Skip = False,
    batch: Batch = BATCH,
    concurrency: Concurrency = CONCURRENCY,
    out: Out = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Exchange identities in texts and compare the answers; AUC by identity term.

    llmaas evaluate fairness comments.csv --labels toxic,harmless --positive toxic --out report
    """
    if (version_column is None) != (identity_column is None):
        raise WrongUsage("--version-column and --identity-column go together")
    columns = [name for name in (label_column, version_column, identity_column) if name]
    rows = CaseFile(
        table(file, text_column, *columns),
        text_column,
        label_column,
        version_column,
        identity_column,
    )
    called, seen = positive_in_file or positive, set[str]()

    def look(row: evaluation.Case) -> None:
        seen.add(row.label or "")

    some, total = prepared(rows, limit, seed, look)
    if label_column is not None and called not in seen:
        there = ", ".join(repr(name) for name in sorted(seen)[:8])
        raise WrongUsage(
            f"no row has the label {called!r} (there are {there}): --positive-in-file says what "
            "the file calls it"
        )
    with connect(base_url, timeout, RETRIES) as client:
        run(
            lambda progress: evaluation.fairness(
                client,
                some,
                positive=positive,
                labels=choices(labels, label or []),
                classifier=classifier,
                model=model,
                hypothesis_template=hypothesis_template,
                threshold=threshold,
                positive_in_rows=positive_in_file,
                groups=_groups(group, swap, swaps),
                terms=evaluation.TERMS if term is None else term,
                skip_refused=skip_refused,
                batch=batch,
                concurrency=concurrency,
                progress=progress,
            ),
            total,
            out,
            as_json,
        )


def _groups(
    names: list[str] | None, swap: list[str] | None, file: Path | None
) -> Sequence[evaluation.SwapGroup] | None:
    """Those that were named in any way; None where none was."""
    if names is None and swap is None and file is None:
        return None
    found = list(evaluation.chosen(names or []))
    if swap:
        found.append(evaluation.pairs(swap))
    if file is not None:
        found += evaluation.read_groups(file)
    return found


@contextmanager
def _predictions(out: Path | None) -> Generator[Callable[[evaluation.Prediction], None] | None]:
    """Writes each answer as it comes, so that Ctrl-C loses none."""
    if out is None:
        yield None
        return
    with (out / "predictions.jsonl").open("w", encoding="utf-8") as file:

        def write(prediction: evaluation.Prediction) -> None:
            file.write(json.dumps(asdict(prediction), ensure_ascii=False) + "\n")

        yield write
