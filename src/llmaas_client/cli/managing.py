"""Which server a command manages: the one that was named, else the one of this home; where that
does not run, its database."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from importlib.metadata import entry_points
from typing import Annotated, cast

import typer

from llmaas_client import config
from llmaas_client.client import Client
from llmaas_client.running import address_in

from .failures import WrongUsage

GROUP = "llmaas.inside"
"""The entry point by which the server's package joins in."""

Seconds = Annotated[
    float, typer.Option("--timeout", metavar="SECONDS", help="Time for each request.")
]
Account = Annotated[
    str | None,
    typer.Option("--account", metavar="ACCOUNT", help="Of which one: its id, or its name."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]

TIMEOUT = 60.0


def address_for(base_url: str | None) -> str | None:
    """Of the server that was named, else of this home's where it runs; None is the default."""
    return base_url if config.is_told(base_url) else address_in(config.home())


def asking(base_url: str | None, timeout: float) -> Client:
    """A client for what a server alone can do."""
    return Client(address_for(base_url), timeout=timeout)


@contextmanager
def managing(base_url: str | None, timeout: float) -> Generator[Client]:
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
        _check_default()
    with Client(address, timeout=timeout) as client:
        yield client


def _check_default() -> None:
    """Whether asking the default address has any sense. Raises WrongUsage."""
    if config.resolve().key("management") is None:
        raise WrongUsage(
            f"no server runs in {config.home()}, and it has no database: start one with "
            "`llmaas serve`, or name one with --base-url and LLMAAS_MANAGEMENT_KEY"
        )


@contextmanager
def _inside() -> Generator[Client | None]:
    """A client over the database; None without the server's package, or without a database."""
    for entry in entry_points(group=GROUP):
        opened = cast("AbstractContextManager[Client | None]", entry.load()())
        with opened as client:
            yield client
        return
    yield None
