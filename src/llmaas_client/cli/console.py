"""`llmaas console`: sign in to the pages of the server, by a link that works once."""

from __future__ import annotations

from typing import Annotated

import typer

from .browser import show
from .managing import TIMEOUT, Json, Seconds, asking
from .options import BaseURL
from .tables import print_json


def console(
    browser: Annotated[
        bool, typer.Option(help="Open it in the browser; else it is printed alone.")
    ] = True,
    as_json: Json = False,
    base_url: BaseURL = None,
    timeout: Seconds = TIMEOUT,
) -> None:
    """Make a link that signs you in to the console, once, and open it.

    The server must run. The link is of the account of the management key: on the server's own
    machine, of the one who runs it.
    """
    with asking(base_url, timeout) as client:
        link = client.account.sign_in_link()
        url = client.base_url + link.path
    if as_json:
        print_json({"url": url, "expires_in": link.expires_in})
        return
    typer.echo(url)
    typer.echo(f"It works once, within {link.expires_in // 60} minutes.", err=True)
    if browser:
        show(url)
