"""Which server a command manages: the one that was named, else the one of this home; where that
does not run, its database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Annotated, cast

import typer

from llmaas_client import config
from llmaas_client.client import Client
from llmaas_client.running import address_in

GROUP = "llmaas.inside"
"""The entry point by which the server's package joins in."""

Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Time for each request.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TIMEOUT = 60.0


@contextmanager
def managing(base_url: str | None, timeout: float) -> Iterator[Client]:
    """A client for what needs a management key.

    A server that was named by its address or by a key is asked over HTTP, always. Else this home's
    server is, where it runs; and where it does not, the client works on the home's database, which
    no server may open meanwhile.
    """
    if config.is_told(base_url):
        with Client(base_url, timeout=timeout) as client:
            yield client
        return
    address = address_in(config.home())
    if address is None:
        with _inside() as inside:
            if inside is not None:
                yield inside
                return
    with Client(address, timeout=timeout) as client:
        yield client


@contextmanager
def _inside() -> Iterator[Client | None]:
    """A client over the database; None without the server's package, or without a database."""
    for entry in entry_points(group=GROUP):
        opened = cast("AbstractContextManager[Client | None]", entry.load()())
        with opened as client:
            yield client
        return
    yield None
