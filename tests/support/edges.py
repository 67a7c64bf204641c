"""The edge alone, on a real socket: TLS, connections and addresses, over an application that says
how it was asked."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.cli.server import Server
from llmaas_server.edge.bounds import Bounds
from llmaas_server.edge.tls import Tls

from .front import PATIENCE
from .sockets import Raw, head


class Echo:
    """An application that answers with the scheme and the address that it was asked by."""

    def __init__(self, backend: FakeBackend) -> None:
        self._backend = backend

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._backend.start()
            for kind in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{kind}.complete"})
        else:
            said = {"scheme": scope["scheme"], "client": scope["client"][0], "version": "echo"}
            await JSONResponse(said)(scope, receive, send)


@contextmanager
def edge(bounds: Bounds, tls: Tls | None = None) -> Iterator[str]:
    """The address of a server for as long as the block lasts."""
    sock = socket.create_server(("127.0.0.1", 0))
    ready = threading.Event()
    backend = FakeBackend()
    server = Server(
        Echo(backend),
        backend,
        grace_seconds=1,
        on_listening=ready.set,
        on_ready=lambda: None,
        bounds=bounds,
        tls=tls,
    )
    thread = threading.Thread(target=server.run, args=([sock],))
    thread.start()
    try:
        assert ready.wait(PATIENCE)
        scheme = "http" if tls is None else "https"
        yield f"{scheme}://127.0.0.1:{sock.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


def asked(raw: Raw, *headers: str) -> dict[str, str]:
    """What the application says of one more request on a connection."""
    raw.send(head("/", *headers))
    said: dict[str, str] = json.loads(raw.answer().body)
    return said
