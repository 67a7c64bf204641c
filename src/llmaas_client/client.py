"""The two clients: one call is a flow, and each client drives it its own way."""

from __future__ import annotations

import math
import uuid
from collections.abc import Coroutine
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .clock import Clock, Deadline
from .config import resolve
from .drive import AsyncRun, Run
from .errors import ConfigurationError
from .flow import Exchange
from .http import AsyncPool, AsyncWire, Pool, Wire
from .notices import Notices, OnWarning
from .retry import RetryPolicy
from .steps import Call, Flow, T, Unset
from .streams import AsyncStream, ResultT, Stream
from .tasks.chat import Chat
from .tasks.classify import Classify
from .tasks.embed import Embed
from .tasks.server import HealthCheck, Models, Tasks
from .tasks.summarize import Summarize
from .wire.chat import ChatResult
from .wire.classify import ClassifyResult
from .wire.embed import EmbedResult
from .wire.models import Health, ModelInfo, TaskInfo
from .wire.summarize import SummarizeResult

if TYPE_CHECKING:
    from .http import AsyncHTTPClient, HTTPClient
    from .management.account import Account, AsyncAccount
    from .management.accounts import Accounts, AsyncAccounts
    from .management.prices import Prices
    from .management.usage import Usage
    from .tasks.classifiers import AsyncClassifiers, Classifiers
    from .tasks.price import AskPrice
    from .wire.prices import Price, Quote
    from .wire.usage import UsageReport

DEFAULT_TIMEOUT = 600.0
"""Seconds for a whole call, a stream's too."""


class _Settings:
    """What both clients know."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        management_key: str | None,
        ca_bundle: str | PathLike[str] | None,
        timeout: float | None,
        max_retries: int,
        clock: Clock | None,
        on_warning: OnWarning | None,
    ) -> None:
        if max_retries < 0:
            raise ConfigurationError(f"max_retries is {max_retries}", hint="0 is no retry.")
        self._config = resolve(base_url, api_key, ca_bundle, management_key)
        self._timeout = _checked(timeout)
        self._policy = RetryPolicy(max_retries)
        self._clock = clock or Clock()
        self._notices = Notices(on_warning)
        self._closed = False

    @property
    def base_url(self) -> str:
        """The server's address in its normal form."""
        return self._config.address.url

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.base_url!r})"

    def _flow(self, call: Call[T], stream: bool) -> Flow[T]:
        if self._closed:
            raise RuntimeError("the client is closed")
        timeout = self._timeout if isinstance(call.timeout, Unset) else _checked(call.timeout)
        exchange = Exchange(
            config=self._config,
            policy=self._policy,
            clock=self._clock,
            deadline=Deadline.after(timeout, self._clock),
            idempotency_key=uuid.uuid4().hex,
        )
        return exchange.run(self._notices.watching(call), stream=stream)


class Client(_Settings):
    """A client of an llmaas server.

        client = Client()
        client.classify("I love Python", labels=["negative", "positive"]).label
        client.summarize(report, max_words=80).summary
        client.chat("Hello").text

    Making one contacts nothing; connections are made at first use, shared by all threads, and
    closed by `close()` or at the end of a `with` block.

    Args:
        base_url: The server; else LLMAAS_BASE_URL, else http://127.0.0.1:8000.
        api_key: The key; else LLMAAS_API_KEY, else the one that a server on this machine left for
            exactly this address.
        management_key: The key for `account`, `accounts`, `usage` and `prices`, which the other
            one cannot do; else LLMAAS_MANAGEMENT_KEY, else the one that a server on this machine
            left for exactly this address.
        ca_bundle: A file of certificates (PEM) that an https server's must rest on, for a private
            authority; else LLMAAS_CA_BUNDLE, else those that this machine trusts.
        timeout: Seconds for a whole call: connecting, waiting, reading and all retries. None is
            no limit.
        max_retries: How often to try again where that is safe: nothing was sent, or the server
            refused for now, or its worker was lost before the first event.
        http_client: A client of the HTTP library, for proxies, certificates and the like. It
            stays yours to close. It waits in its own way: the timeout is then looked at between
            reads.
        clock: Time and chance, for tests.
        on_warning: Called with each kind of warning that results have, once for each model;
            without it Python warns, with `LLMaaSWarning`. `result.warnings` has all of them.

    Raises:
        ConfigurationError: for what cannot be an address, a key or a timeout.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        management_key: str | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        http_client: HTTPClient | None = None,
        clock: Clock | None = None,
        on_warning: OnWarning | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, management_key, ca_bundle, timeout, max_retries, clock, on_warning
        )
        self._pool = Pool(self._config, http_client)
        self.classify: Classify[ClassifyResult] = Classify(self._run)
        self.summarize: Summarize[SummarizeResult, Stream[SummarizeResult]] = Summarize(
            self._run, self._stream
        )
        self.chat: Chat[ChatResult, Stream[ChatResult]] = Chat(self._run, self._stream)
        self.embed: Embed[EmbedResult] = Embed(self._run)
        self.models: Models[list[ModelInfo]] = Models(self._run)
        self.tasks: Tasks[list[TaskInfo]] = Tasks(self._run)
        self.health: HealthCheck[Health] = HealthCheck(self._run)

    @cached_property
    def price(self) -> AskPrice[Quote]:
        """What a call would cost."""
        from .tasks.price import AskPrice

        return AskPrice(self._run)

    @cached_property
    def classifiers(self) -> Classifiers:
        """Classifiers made from examples."""
        from .tasks.classifiers import ClassifierShelf

        return ClassifierShelf(self._run)

    @cached_property
    def account(self) -> Account:
        """The account of the management key: its applications and keys; registration."""
        from .management.account import Account

        return Account(self._run)

    @cached_property
    def accounts(self) -> Accounts:
        """All accounts of the server, and invitations: for its operator."""
        from .management.accounts import Accounts

        return Accounts(self._run)

    @cached_property
    def usage(self) -> Usage[UsageReport]:
        """What was used, and what it cost."""
        from .management.usage import Usage

        return Usage(self._run)

    @cached_property
    def prices(self) -> Prices[list[Price], Price]:
        """What calls cost."""
        from .management.prices import Prices
        from .wire.prices import Price

        return Prices[list[Price], Price](self._run)

    def close(self) -> None:
        """Close the connections. Closing twice is no mistake."""
        self._closed = True
        self._pool.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self, call: Call[T], stream: bool) -> Run[T]:
        flow = self._flow(call, stream)
        return Run(flow, Wire(self._pool.get(), self._clock))

    def _run(self, call: Call[T]) -> T:
        return self._start(call, stream=False).finish()

    def _stream(self, call: Call[ResultT]) -> Stream[ResultT]:
        return Stream(lambda: self._start(call, stream=True))


class AsyncClient(_Settings):
    """The client for asyncio: the same names, to be awaited.

        async with AsyncClient() as client:
            reply = await client.chat("Hello")

    Making one contacts nothing; connections are made at first use, one set per event loop, and
    closed by `await close()` or at the end of an `async with` block. The arguments are those of
    `Client`.
    """

    def __init__(
        self,
        base_url: str | None = None,
        api_key: str | None = None,
        *,
        management_key: str | None = None,
        ca_bundle: str | PathLike[str] | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        http_client: AsyncHTTPClient | None = None,
        clock: Clock | None = None,
        on_warning: OnWarning | None = None,
    ) -> None:
        super().__init__(
            base_url, api_key, management_key, ca_bundle, timeout, max_retries, clock, on_warning
        )
        self._pool = AsyncPool(self._config, http_client)
        self.classify: Classify[Coroutine[Any, Any, ClassifyResult]] = Classify(self._run)
        self.summarize: Summarize[
            Coroutine[Any, Any, SummarizeResult], AsyncStream[SummarizeResult]
        ] = Summarize(self._run, self._stream)
        self.chat: Chat[Coroutine[Any, Any, ChatResult], AsyncStream[ChatResult]] = Chat(
            self._run, self._stream
        )
        self.embed: Embed[Coroutine[Any, Any, EmbedResult]] = Embed(self._run)
        self.models: Models[Coroutine[Any, Any, list[ModelInfo]]] = Models(self._run)
        self.tasks: Tasks[Coroutine[Any, Any, list[TaskInfo]]] = Tasks(self._run)
        self.health: HealthCheck[Coroutine[Any, Any, Health]] = HealthCheck(self._run)

    @cached_property
    def price(self) -> AskPrice[Coroutine[Any, Any, Quote]]:
        """What a call would cost."""
        from .tasks.price import AskPrice

        return AskPrice(self._run)

    @cached_property
    def classifiers(self) -> AsyncClassifiers:
        """Classifiers made from examples."""
        from .tasks.classifiers import ClassifierShelf

        return ClassifierShelf(self._run)

    @cached_property
    def account(self) -> AsyncAccount:
        """The account of the management key: its applications and keys; registration."""
        from .management.account import AsyncAccount

        return AsyncAccount(self._run)

    @cached_property
    def accounts(self) -> AsyncAccounts:
        """All accounts of the server, and invitations: for its operator."""
        from .management.accounts import AsyncAccounts

        return AsyncAccounts(self._run)

    @cached_property
    def usage(self) -> Usage[Coroutine[Any, Any, UsageReport]]:
        """What was used, and what it cost."""
        from .management.usage import Usage

        return Usage(self._run)

    @cached_property
    def prices(
        self,
    ) -> Prices[Coroutine[Any, Any, list[Price]], Coroutine[Any, Any, Price]]:
        """What calls cost."""
        from .management.prices import Prices
        from .wire.prices import Price

        return Prices[Coroutine[Any, Any, list[Price]], Coroutine[Any, Any, Price]](self._run)

    async def close(self) -> None:
        """Close the connections of this event loop. Closing twice is no mistake."""
        self._closed = True
        await self._pool.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _start(self, call: Call[T], stream: bool) -> AsyncRun[T]:
        flow = self._flow(call, stream)
        return AsyncRun(flow, AsyncWire(self._pool.get(), self._clock))

    async def _run(self, call: Call[T]) -> T:
        return await self._start(call, stream=False).finish()

    def _stream(self, call: Call[ResultT]) -> AsyncStream[ResultT]:
        return AsyncStream(lambda: self._start(call, stream=True))


def _checked(timeout: float | None) -> float | None:
    if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
        raise ConfigurationError(
            f"timeout is {timeout}", hint="Give seconds above 0, or None for no limit."
        )
    return timeout
