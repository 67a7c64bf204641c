"""Opens a page of a server in the browser of the one who typed, or says how to see it."""

from __future__ import annotations

import socket
import webbrowser
from urllib.parse import urlsplit

import typer

from llmaas_client import config
from llmaas_client.config import Address


def show(url: str) -> None:
    """Open the page; where that cannot be, say so, and what to do with its address. Never fails.

    Waits for browsers that run in a terminal.
    """
    where = config.screen()
    if where == "none":
        _say("There is no display here: open the link in a browser.")
    elif where == "far":
        _say(_from_far(url))
    elif _opened(url):
        _say("It opens in your browser.")
    else:
        _say("No browser could be started: open the link in one.")


def _opened(url: str) -> bool:
    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False


def _from_far(url: str) -> str:
    if not Address.parse(url.partition("?")[0]).is_local:
        return "This is a session of SSH: open the link in a browser on your own machine."
    port = urlsplit(url).port
    return (
        "This is a session of SSH. On your own machine type "
        f"`ssh -N -L {port}:127.0.0.1:{port} {socket.gethostname()}`, "
        "then open the link in a browser there."
    )


def _say(text: str) -> None:
    typer.echo(text, err=True)
