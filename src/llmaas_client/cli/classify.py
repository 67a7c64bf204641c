"""`llmaas classify`: which of your labels does a text deserve?"""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from llmaas_client import display
from llmaas_client.wire.explanations import Explanation

from .failures import WrongUsage
from .inputs import from_words
from .options import TIMEOUT, BaseURL, Json, Model, Seconds, connect

FAINT, STRONG = 0.2, 0.6
"""Of the strongest word of a text: what is marked, and what is marked more."""


def classify(
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT|-", help="The text; without it standard input is read."),
    ] = None,
    labels: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Labels to choose from, with commas between them."),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=DESCRIPTION", help="One more label, with words on it; repeatable."
        ),
    ] = None,
    classifier: Annotated[
        str | None,
        typer.Option(metavar="NAME[@VERSION]", help="A classifier of yours, instead of labels."),
    ] = None,
    multi: Annotated[
        bool, typer.Option("--multi", help="Judge each label by itself: several may hold.")
    ] = False,
    top_k: Annotated[int | None, typer.Option(help="Show the best k only.")] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Abstain below this score, from 0 to 1.")
    ] = None,
    max_error: Annotated[
        float | None,
        typer.Option(help="With a classifier: abstain so often that fewer answers are wrong."),
    ] = None,
    explain: Annotated[
        bool, typer.Option("--explain", help="Show what of the text the label rests on.")
    ] = False,
    model: Model = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Classify a text: label and score, best first.

    llmaas classify "I love Python" --labels negative,positive
    """
    words = from_words(text)
    with connect(base_url, timeout) as client:
        result = client.classify(
            words,
            labels=choices(labels, label or []),
            classifier=classifier,
            multi=multi,
            top_k=top_k,
            threshold=threshold,
            max_error=max_error,
            explain=explain,
            model=model,
        )
    if as_json:
        typer.echo(result.model_dump_json())
        return
    answer = result.results[0]
    draw = display.bars if sys.stdout.isatty() else display.columns
    typer.echo(draw(answer))
    if answer.abstained:
        typer.echo("note: no label reaches the threshold", err=True)
    if answer.explanation is not None:
        show(words, answer.explanation)


def show(text: str, explanation: Explanation) -> None:
    """An explanation: the text with its words marked on a terminal, columns elsewhere."""
    typer.echo()
    if not sys.stdout.isatty():
        typer.echo(display.word_columns(explanation))
    else:
        from rich.console import Console
        from rich.text import Text

        marked = Text()
        for piece, weight in display.marked(text, explanation):
            marked.append(display.clean(piece), style=style_of(weight))
        Console(highlight=False).print(marked)
        typer.echo(f"\nwhy {display.clean(explanation.label)}: what its score loses without a word")
        typer.echo(display.weights(explanation))
    if flip := display.flip_of(explanation):
        typer.echo(flip, err=not sys.stdout.isatty())


def style_of(weight: float) -> str:
    """Green for the label, red against it, the stronger the more; plain for little."""
    if abs(weight) < FAINT:
        return ""
    colour = "green" if weight > 0 else "red"
    return f"bold reverse {colour}" if abs(weight) > STRONG else f"bold {colour}"


def choices(joined: str | None, single: list[str]) -> list[str] | dict[str, str] | None:
    """Labels of both options; a mapping where one of them has a description."""
    pairs = [(name.strip(), "") for name in (joined or "").split(",") if name.strip()]
    for item in single:
        name, _, description = item.partition("=")
        if not name.strip():
            raise WrongUsage(f"--label {item!r} has no name: write --label NAME=DESCRIPTION")
        pairs.append((name.strip(), description.strip()))
    names = [name for name, _ in pairs]
    if not pairs:
        return None
    if len(set(names)) < len(names) or not any(description for _, description in pairs):
        return names  # a label that is there twice is told by the contract's own check
    return {name: description or name for name, description in pairs}
