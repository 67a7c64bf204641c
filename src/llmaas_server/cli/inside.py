"""A client without a server: it works on the database of this home, which it alone has open.

The same requests go to the same handlers and services as in a server; only the network and the
keys between them are left out.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote, urlsplit

import typer

from llmaas_client.client import Client
from llmaas_client.drive import Run
from llmaas_client.steps import Action, Flow, Head, Read, Reply, Send, Sleep

from .failure import fail, wrong_usage

if TYPE_CHECKING:
    from llmaas_server.api.inside import Inside
    from llmaas_server.gateway.services import Services
    from llmaas_server.settings import Settings

T = TypeVar("T")

_NOWHERE = "http://127.0.0.1"
_LEAST_ERROR = 4
"""Hundreds of statuses: from here on it is no success."""


class InsideClient(Client):
    """A client whose requests do not leave the process."""

    def __init__(self, app: Inside, loop: Loop) -> None:
        # Nobody looks at the key: who may run this has the database in their hands.
        super().__init__(_NOWHERE, management_key="inside", max_retries=0)
        self._app = app
        self._loop = loop

    def _start(self, flow: Flow[T]) -> Run[T]:
        return Run(flow, Passage(self._app, self._loop))


class Passage:
    """Performs the steps of one call: hands the request over, and keeps the answer."""

    def __init__(self, app: Inside, loop: Loop) -> None:
        self._app = app
        self._loop = loop
        self._body = b""

    def perform(self, step: Action) -> Reply:
        match step:
            case Send():
                head, self._body = self._loop.run(_answer(self._app, step))
                return head
            case Read():
                piece, self._body = self._body, b""
                return piece
            case Sleep():
                raise TypeError("a client that tries once never waits")
            case _:
                self.close()
                return None

    def close(self) -> None:
        self._body = b""

    def abandon(self) -> None:
        """Nothing waits here that could be ended."""


class Loop:
    """An event loop in a thread, for as long as the block lasts."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="services")

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def __enter__(self) -> Loop:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


async def _answer(app: Inside, step: Send) -> tuple[Head, bytes]:
    parts = urlsplit(step.url)
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": step.method,
        "scheme": parts.scheme,
        "path": unquote(parts.path),
        "raw_path": parts.path.encode(),
        "query_string": parts.query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in step.headers.items()],
        "client": None,
        "server": None,
    }
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": step.body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    status = int(sent[0]["status"])
    headers = {name.decode(): value.decode() for name, value in sent[0].get("headers", ())}
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return Head(status, status // 100 < _LEAST_ERROR, headers), body


@contextmanager
def client() -> Iterator[Client | None]:
    """A client over the database of this home; None where there is no database yet.

    What goes wrong with it ends the command in one line.
    """
    from llmaas_server.settings import SettingsError, load_settings

    try:
        settings = load_settings()
    except SettingsError as error:
        wrong_usage(str(error))
    if settings.database_url is None and not _file(settings).exists():
        yield None
        return
    typer.echo(f"note: no server runs in {settings.home}: working on its database", err=True)
    services = _open(settings)
    with Loop() as loop:
        try:
            loop.run(services.start())
            yield InsideClient(_app(services, int(settings.max_body_bytes)), loop)
        finally:
            loop.run(services.close())


def _file(settings: Settings) -> Path:
    from llmaas_server.storage.database import FILE_NAME

    return settings.home / FILE_NAME


def _open(settings: Settings) -> Services:
    from llmaas_server.gateway.kek import KeychainError
    from llmaas_server.gateway.services import Services
    from llmaas_server.storage.failures import StorageError

    try:
        return Services.open(settings)
    except (StorageError, KeychainError) as error:
        fail(str(error))
    except OSError as error:
        fail(f"cannot use {settings.home}: {error.strerror or error}")


def _app(services: Services, max_body_bytes: int) -> Inside:
    from llmaas_server.api import accounts, applications, keys, person, prices, usage
    from llmaas_server.api.inside import Inside
    from llmaas_server.api.managing import Desk
    from llmaas_server.gateway.principals import COMMAND

    desk = Desk(max_body_bytes)
    endpoints = [
        *accounts.endpoints(services.accounts, services.invitations, desk),
        *applications.endpoints(services.applications, desk),
        *keys.endpoints(services.keys, desk),
        *person.endpoints(services.export, services.erasure, desk),
        *usage.endpoints(services.usage),
        *prices.managing(services.price_list, desk),
    ]
    return Inside(endpoints, COMMAND)
