"""Runs a server in this process, from its settings to its end."""

from __future__ import annotations

import socket
from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import typer

from llmaas_client.running import address_in

from .failure import fail
from .listener import base_url, listen

if TYPE_CHECKING:
    from llmaas_server.edge.tls import Tls
    from llmaas_server.gateway.services import Services
    from llmaas_server.gateway.sign_in_links import SignInLinks
    from llmaas_server.settings import Settings

_OTHER_HOME = "set another folder with --home"


def run(
    settings: Settings,
    link: Callable[[SignInLinks], str | None],
    then: Callable[[str], None] | None = None,
) -> None:
    """Listen, see that there is a key, and serve until a signal comes. Exits where it cannot,
    and raises CannotListen where the address is not to be had.

    `link` says whether the operator gets a link into the console, and makes its token. Where there
    is one, `then` is called with it as soon as the first request will be served; it may not block.
    """
    from llmaas_server.api.sign_in_links import path_of
    from llmaas_server.app import create_app, create_backend, create_store, create_tracer
    from llmaas_server.edge.bounds import Bounds
    from llmaas_server.errors import Problem
    from llmaas_server.gateway.running import told
    from llmaas_server.log import configure

    from .banner import banner
    from .server import Server

    configure(settings.log_level, settings.log_format)
    try:
        tracer = create_tracer(settings)
    except Problem as problem:
        fail(problem.message, problem.hint)
    tls = _tls(settings)
    with ExitStack() as ending:
        sock = ending.enter_context(_listen(settings, tls))
        url = base_url(sock, None if tls is None else tls.certificate.local_name)
        services = _services(settings, url, ending)
        # From here on others find it: what they ask waits until it is answered.
        ending.enter_context(told(settings.home, url))
        token = link(services.sign_in_links) if settings.console else None
        entrance = None if token is None else url + path_of(token)
        store = create_store(settings)
        backend = create_backend(settings)

        def say_ready() -> None:
            typer.echo("Ready. Ctrl-C ends it.")
            if then is not None and entrance is not None:
                then(entrance)

        server = Server(
            create_app(settings, services, backend, store, tracer),
            backend,
            grace_seconds=settings.grace_seconds,
            bounds=Bounds.of(settings),
            tls=tls,
            on_listening=lambda: typer.echo("\n".join(banner(settings, store, url, entrance))),
            on_ready=say_ready,
        )
        server.run(sockets=[sock])
    if server.failure is not None:
        fail(f"nothing computes: {server.failure.message}", server.failure.hint)


def check(settings: Settings) -> None:
    """Whether a server could listen there and encrypt. Exits, or raises, as `run`."""
    _listen(settings, _tls(settings)).close()


def _listen(settings: Settings, tls: Tls | None) -> socket.socket:
    is_private = tls is not None or bool(settings.behind_proxy)
    return listen(settings.host, settings.port, is_private=is_private)


def _services(settings: Settings, url: str, ending: ExitStack) -> Services:
    from llmaas_server.gateway.credentials import CredentialsError
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.gateway.services import Services
    from llmaas_server.storage.failures import StorageError

    if (other := address_in(settings.home)) is not None:
        hint = "stop it first, or give this one a home of its own with --home"
        fail(f"the server of {settings.home} runs already, at {other}", hint)
    try:
        services = Services.open(settings)
    except (StorageError, KeychainError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot keep state in {settings.home}: {error}", _OTHER_HOME)
    # The server closes them at its end; twice does no harm.
    ending.callback(services.release)
    try:
        services.bootstrap(url)
    except (CredentialsError, OSError) as error:
        fail(f"cannot keep a key in {settings.home}: {error}", _OTHER_HOME)
    return services


def _tls(settings: Settings) -> Tls | None:
    from llmaas_server.edge.certificates import CertificateError
    from llmaas_server.edge.tls import Tls

    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return Tls(settings.tls_cert, settings.tls_key)
    except CertificateError as error:
        fail(str(error), "`llmaas tls dev-cert` makes one to try things out")
