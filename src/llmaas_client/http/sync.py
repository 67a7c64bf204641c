"""The steps of a call, carried out with waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpcore
import httpx

from llmaas_client.clock import Clock
from llmaas_client.config import Config
from llmaas_client.sockets import ShrinkingBackend, Until
from llmaas_client.steps import Action, Drop, Head, Read, Reply, Send, Sleep

from .causes import broken
from .requests import head_of, request_of
from .transport import headers, options_of, proxy_of


class Wire:
    """Performs the steps of one call, and holds its response from head to end."""

    def __init__(self, client: Callable[[], httpx.Client], clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._response: httpx.Response | None = None
        self._pieces: Iterator[bytes] = iter(())
        self._limit = Until(None)
        self._abandoned = False

    def perform(self, step: Action) -> Reply:
        try:
            match step:
                case Send():
                    return self._send(step)
                case Read():
                    return self._read(step)
                case Sleep():
                    self._clock.sleep(step.seconds)
                case Drop():
                    self.close()
        except httpx.HTTPError as error:
            self.close()
            return broken(error, isinstance(step, Read))
        return None

    def _send(self, step: Send) -> Head:
        self._limit = Until(step.deadline)
        self._limit.given_up = self._abandoned
        client = self._client()
        request = request_of(client, step, self._limit)
        self._response = client.send(request, stream=True, follow_redirects=False)
        self._pieces = self._response.iter_bytes()
        return head_of(self._response)

    def _read(self, step: Read) -> bytes:
        self._limit.deadline = step.deadline
        return next(self._pieces, b"")

    def abandon(self) -> None:
        """End the call from another thread than the one that makes it: its next step fails.

        A client that was given has sockets of its own, and is waited for.
        """
        self._abandoned = True
        self._limit.give_up()

    def close(self) -> None:
        """Let go of the response; where it is not at its end, its socket is closed now."""
        response, self._response = self._response, None
        self._pieces = iter(())
        if response is not None:
            response.close()


def connect(config: Config) -> httpx.Client:
    """Connections of our own, made when they are needed."""
    return httpx.Client(transport=_Transport(config), headers=headers())


class _Transport(httpx.HTTPTransport):
    """httpx's transport over a pool of our own: it has no other way to say how sockets wait.

    The parent's constructor, which makes the pool, is left out on purpose.
    """

    def __init__(self, config: Config) -> None:
        proxy, options = proxy_of(config), options_of(config)
        self._pool = (
            httpcore.ConnectionPool(network_backend=ShrinkingBackend(), **options)
            if proxy is None
            else httpcore.HTTPProxy(network_backend=ShrinkingBackend(), **proxy, **options)
        )
