"""`llmaas embed`: a text as a vector."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from .inputs import from_words
from .options import TIMEOUT, BaseURL, Json, Model, Seconds, connect


def embed(
    text: Annotated[
        str | None,
        typer.Argument(metavar="TEXT|-", help="The text; without it standard input is read."),
    ] = None,
    model: Model = None,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Turn a text into a vector: near each other where meanings are."""
    words = from_words(text)
    with connect(base_url, timeout) as client:
        result = client.embed(words, model=model)
    typer.echo(result.model_dump_json() if as_json else json.dumps(result.embedding))
