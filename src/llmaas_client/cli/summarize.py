"""`llmaas summarize`: a shorter text, from a file or a pipe."""

from __future__ import annotations

import sys
from typing import Annotated, Literal

import typer

from llmaas_client import display

from .inputs import from_file
from .options import TIMEOUT, BaseURL, Json, Model, Seconds, connect
from .progress import following


def summarize(
    file: Annotated[
        str | None,
        typer.Argument(metavar="FILE|-", help="The file; without it standard input is read."),
    ] = None,
    length: Annotated[
        Literal["short", "medium", "long"], typer.Option(help="About 2, 4 or 8 sentences.")
    ] = "medium",
    max_words: Annotated[int | None, typer.Option(help="Most words; never exceeded.")] = None,
    style: Annotated[
        Literal["paragraph", "bullets", "headline"], typer.Option(help="How it is laid out.")
    ] = "paragraph",
    focus: Annotated[
        str | None, typer.Option(help="A question or a topic that the summary is to be about.")
    ] = None,
    strict: Annotated[
        bool, typer.Option("--strict", help="Leave out what the text does not support.")
    ] = False,
    method: Annotated[
        Literal["auto", "extractive", "abstractive"],
        typer.Option(help="Pick sentences of the source, or write new ones."),
    ] = "auto",
    strategy: Annotated[
        Literal["auto", "extract", "hierarchical"],
        typer.Option(help="How new sentences are made of a text that one prompt cannot hold."),
    ] = "auto",
    model: Model = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Summarize a text of any length.

    cat report.txt | llmaas summarize --max-words 80
    """
    text = from_file(file)
    with (
        connect(base_url, timeout) as client,
        client.summarize.stream(
            text,
            method=method,
            length=length,
            max_words=max_words,
            style=style,
            focus=focus,
            strict=strict,
            strategy=strategy,
            model=model,
        ) as stream,
        following(sys.stderr) as follow,
    ):
        for event in stream.events():
            follow(event)
    result = stream.result
    if as_json:
        typer.echo(result.model_dump_json())
        return
    typer.echo(display.clean(result.summary) if sys.stdout.isatty() else result.summary)
    if objections := display.objections(result):
        typer.echo(objections, err=True)
    if result.dropped:
        typer.echo(f"note: left out without support: {result.dropped}", err=True)
    if result.coverage < 1.0:
        typer.echo(f"note: {result.coverage:.1%} of the text was read", err=True)
    if result.written_from is not None and result.written_from < 1.0:
        typer.echo(f"note: written from {result.written_from:.1%} of the text", err=True)
