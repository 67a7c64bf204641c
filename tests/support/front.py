"""The front on a real socket, in a thread of this process, so that tests can see its backend."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from llmaas_client.wire.credentials import FILE_NAME, Credentials, ServerCredentials
from llmaas_server.app import ModelStore, create_app, create_backend
from llmaas_server.cli.server import Server
from llmaas_server.edge.bounds import Bounds
from llmaas_server.gateway.services import Services
from llmaas_server.gateway.tracing import Tracer
from llmaas_server.seam.backend import Backend
from llmaas_server.settings import Settings

PATIENCE = 10.0
"""Seconds until a test gives up on what should happen at once."""


@dataclass(frozen=True, slots=True)
class Front:
    """A running front, and a client that has its key."""

    url: str
    key: str
    http: httpx.Client
    management_key: str
    manage: httpx.Client
    """A client that has the operator's key."""
    services: Services
    stop: Callable[[], None]
    """Asks the server to end, as a signal does."""


@contextmanager
def front(
    settings: Settings,
    backend: Backend | None = None,
    store: ModelStore | None = None,
    tracer: Tracer | None = None,
) -> Iterator[Front]:
    """Serve on a free port for as long as the block lasts."""
    chosen = backend or create_backend(settings)
    sock = socket.create_server(("127.0.0.1", 0))
    # As for the sockets of `llmaas serve`: without it each answer waits for 40 ms.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    url = f"http://127.0.0.1:{sock.getsockname()[1]}"
    services = Services.open(settings)
    services.bootstrap(url)
    ready = threading.Event()
    app = create_app(settings, services, chosen, store, tracer)
    server = Server(
        app,
        chosen,
        grace_seconds=settings.grace_seconds,
        bounds=Bounds.of(settings),
        on_listening=ready.set,
        on_ready=lambda: None,
    )

    def stop() -> None:
        server.should_exit = True

    thread = threading.Thread(target=server.run, args=([sock],), name="front")
    thread.start()
    key, management_key = key_of(settings.home, url), management_key_of(settings.home, url)
    try:
        assert ready.wait(PATIENCE), "the server does not start"
        with client(url, key) as http, client(url, management_key) as manage:
            yield Front(url, key, http, management_key, manage, services, stop)
    finally:
        stop()
        thread.join(3 * PATIENCE)
        assert not thread.is_alive(), "the server does not end"


def client(url: str, key: str) -> httpx.Client:
    """A client that has a key."""
    return httpx.Client(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE)


def key_of(home: Path, url: str) -> str:
    return _credentials(home, url).inference_key


def management_key_of(home: Path, url: str) -> str:
    key = _credentials(home, url).management_key
    assert key is not None
    return key


def _credentials(home: Path, url: str) -> ServerCredentials:
    credentials = Credentials.model_validate_json((home / FILE_NAME).read_bytes())
    return credentials.servers[url]


def eventually(condition: Callable[[], bool], what: str) -> None:
    """Look until the condition holds. Fails after PATIENCE."""
    pause = threading.Event()
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"never happened: {what}"
        pause.wait(0.005)
