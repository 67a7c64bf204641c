"""Finds the server that a command was to start, where it runs already."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import typer

from llmaas_client.running import address_in

from .failure import fail
from .listener import local_url, resolve

if TYPE_CHECKING:
    from pathlib import Path

    from llmaas_server.settings import Settings

_SECONDS = 10.0


def address_of(settings: Settings) -> str | None:
    """The address of the server that runs in this home, where it is the one of the settings: port
    0 is any."""
    running = address_in(settings.home)
    if running is None:
        return None
    port = settings.port or urlsplit(running).port or 0
    found = resolve(settings.host, port)
    if found is None:
        return None
    own = local_url(str(found[4][0]), port, _certified(settings))
    return running if running == own else None


def visit(settings: Settings, url: str, *, browser: bool) -> None:
    """Say that the server runs, and open its console by a new link."""
    from llmaas_client import Client, LLMaaSError, NotFound
    from llmaas_client.cli.browser import show
    from llmaas_client.config import keys_in

    from .banner import invitation

    typer.echo(f"llmaas serves already at {url}")
    try:
        keys = keys_in(settings.home, url)
        with Client(
            url,
            management_key=None if keys is None else keys[1],
            ca_bundle=_authority(settings),
            timeout=_SECONDS,
            max_retries=0,
        ) as client:
            link = url + client.account.sign_in_link().path
    except NotFound:
        typer.echo("Its console is off (console = false): there is nothing to open.")
        return
    except LLMaaSError as error:
        fail(f"there is no link into its console: {error}")
    typer.echo(invitation(link))
    if browser:
        show(link)


def _certified(settings: Settings) -> str | None:
    from llmaas_server.edge.certificates import Certificate, CertificateError

    if settings.tls_cert is None:
        return None
    try:
        return Certificate.read(settings.tls_cert).local_name
    except CertificateError:
        return None  # whoever starts the server says why it cannot


def _authority(settings: Settings) -> Path | None:
    """What a certificate of `llmaas tls dev-cert` rests on lies beside it."""
    if settings.tls_cert is None:
        return None
    beside = settings.tls_cert.with_name("ca.pem")
    return beside if beside.is_file() else None
