"""`llmaas serve`: the server, from one command."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import fail, wrong_usage

if TYPE_CHECKING:
    from llmaas_server.app import ModelStore
    from llmaas_server.edge.tls import Tls
    from llmaas_server.settings import Settings


def serve(
    host: Annotated[str | None, typer.Option(help="The address to listen on.")] = None,
    port: Annotated[int | None, typer.Option(help="The port; 0 takes a free one.")] = None,
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
    home: Annotated[Path | None, typer.Option(help="The folder for keys.")] = None,
    cache: Annotated[Path | None, typer.Option(help="The folder for models.")] = None,
    backend: Annotated[str | None, typer.Option(help="`worker`, or `fake` for tests.")] = None,
    device: Annotated[
        str | None,
        typer.Option(help="auto, cpu, cuda or cuda:N; several with commas, a worker for each."),
    ] = None,
    dtype: Annotated[str | None, typer.Option(help="auto, float32 or bfloat16.")] = None,
    quantization: Annotated[
        str | None, typer.Option(help="auto, none, int8 or int4: weights on a CPU.")
    ] = None,
    model_quantization: Annotated[
        str | None,
        typer.Option(metavar="NAME=VALUE,…", help="The same for single models."),
    ] = None,
    threads: Annotated[int | None, typer.Option(help="Threads for arithmetic.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
    tls_cert: Annotated[
        Path | None, typer.Option(help="The certificate (PEM): speak https alone.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).")] = None,
    behind_proxy: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS,…", help="The proxies that speak TLS in front of it."),
    ] = None,
) -> None:
    """Start the server: classify, summarize, chat and embed over HTTP.

    Flags win over the environment (LLMAAS_PORT=…), which wins over `llmaas.toml`;
    `llmaas config show` lists every setting and where it comes from. SIGINT and SIGTERM end
    the server well, with exit code 0; it exits with 1 where it cannot start, and with 2 where
    a setting is wrong.
    """
    from llmaas_server.settings import SettingsError, load_settings

    flags = {
        "config": config,
        "host": host,
        "port": port,
        "home": home,
        "cache": cache,
        "backend": backend,
        "device": device,
        "dtype": dtype,
        "quantization": quantization,
        "model_quantization": model_quantization,
        "threads": threads,
        "log_level": log_level,
        "tls_cert": tls_cert,
        "tls_key": tls_key,
        "behind_proxy": behind_proxy,
    }
    try:
        settings = load_settings(flags)
    except SettingsError as error:
        wrong_usage(str(error))
    run(settings)


def run(settings: Settings) -> None:
    """Listen, see that there is a key, and serve until a signal comes."""
    from llmaas_server.app import create_app, create_backend, create_store, create_tracer
    from llmaas_server.edge.bounds import Bounds
    from llmaas_server.errors import Problem
    from llmaas_server.gateway.credentials import CredentialsError
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.gateway.running import told
    from llmaas_server.gateway.services import Services
    from llmaas_server.log import configure
    from llmaas_server.storage.failures import StorageError

    from .listener import base_url, listen
    from .server import Server

    configure(settings.log_level, settings.log_format)
    try:
        tracer = create_tracer(settings)
    except Problem as problem:
        fail(problem.message, problem.hint)
    tls = _tls(settings)
    is_private = tls is not None or bool(settings.behind_proxy)
    sock = listen(settings.host, settings.port, is_private=is_private)
    url = base_url(sock, None if tls is None else tls.certificate.local_name)
    try:
        services = Services.open(settings)
    except (StorageError, KeychainError) as error:
        sock.close()
        fail(str(error))
    except OSError as error:
        sock.close()
        fail(f"cannot keep state in {settings.home}: {error}", "set another folder with --home")
    try:
        services.bootstrap(url)
    except (CredentialsError, OSError) as error:
        sock.close()
        services.release()
        fail(f"cannot keep a key in {settings.home}: {error}", "set another folder with --home")
    link = services.sign_in_links.first() if settings.console else None
    store = create_store(settings)
    backend = create_backend(settings)
    app = create_app(settings, services, backend, store, tracer)
    server = Server(
        app,
        backend,
        grace_seconds=settings.grace_seconds,
        bounds=Bounds.of(settings),
        tls=tls,
        on_listening=lambda: typer.echo("\n".join(banner(settings, store, url, link))),
        on_ready=lambda: typer.echo("Ready. Ctrl-C ends it."),
    )
    with told(settings.home, url):
        server.run(sockets=[sock])
    if server.failure is not None:
        fail(f"nothing computes: {server.failure.message}", server.failure.hint)


def _tls(settings: Settings) -> Tls | None:
    from llmaas_server.edge.certificates import CertificateError
    from llmaas_server.edge.tls import Tls

    if settings.tls_cert is None or settings.tls_key is None:
        return None
    try:
        return Tls(settings.tls_cert, settings.tls_key)
    except CertificateError as error:
        fail(str(error), "`llmaas tls dev-cert` makes one to try things out")


def banner(settings: Settings, store: ModelStore, url: str, link: str | None) -> list[str]:
    """What the operator needs to know: where, which models, and what to do next.

    `link` is the token of a link for the first sign-in to the console.
    """
    from llmaas_server.api.sign_in_links import path_of

    lines = [f"llmaas serves at {url}", *_models(settings, store)]
    if link is not None:
        lines.append(f"To sign in to the console, once, within 15 minutes: {url}{path_of(link)}")
    elif settings.console:
        lines.append(f"The console: {url}/console/")
    if settings.backend == "fake":
        lines.append("The fake backend computes nothing: its answers are made up.")
    elif _TRYING_OUT in {settings.chat_model, settings.abstractive_model}:
        lines.append(
            f"{_TRYING_OUT} is for trying things out: it is small, and often wrong. "
            "`llmaas models recommend` names better ones for this machine."
        )
    lines.append(f"The key lies in {settings.home}: `llmaas` and its client find it there.")
    return lines


_TRYING_OUT = "smollm2-135m-instruct-q4_1"


def _models(settings: Settings, store: ModelStore) -> list[str]:
    from llmaas_server.errors import Problem

    roles = {
        "classify": settings.classify_model,
        "summarize": settings.summarize_model,
        "abstractive": settings.abstractive_model,
        "chat": settings.chat_model,
        "embed": settings.embed_model,
        "predict": settings.predict_model,
    }
    lines = []
    to_pull: dict[str, None] = {}  # in order, each once
    for role, name in roles.items():
        try:
            store.ref(name)
            state = ""
        except Problem as problem:
            known = problem.code == "model_not_pulled"
            to_pull |= {name: None} if known else {}
            state = "  not on this machine" if known else f"  {problem.message}"
        lines.append(f"  {role:<12}{name}{state}")
    if to_pull:
        lines.append(f"To bring what is missing: llmaas models pull {' '.join(to_pull)}")
    return lines
