"""Options that several commands have, and the client that they give."""

from __future__ import annotations

from typing import Annotated

import typer

from llmaas_client.client import DEFAULT_TIMEOUT, Client
from llmaas_client.display import clean
from llmaas_client.wire.base import ResultWarning

from .completing import model_names

BaseURL = Annotated[
    str | None,
    typer.Option("--base-url", metavar="URL", help="The server; else LLMAAS_BASE_URL."),
]
Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Time for the whole call.")
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model",
        metavar="NAME",
        help="Another model than the default.",
        autocompletion=model_names,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print the whole result as JSON.")]

TIMEOUT = DEFAULT_TIMEOUT


def connect(base_url: str | None, timeout: float, max_retries: int = 2) -> Client:
    return Client(base_url, timeout=timeout, max_retries=max_retries, on_warning=_warn)


def _warn(warning: ResultWarning) -> None:
    typer.echo(f"warning: {clean(warning.message)}", err=True)
