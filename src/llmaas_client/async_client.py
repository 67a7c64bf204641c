"""The client for asyncio: the same flows as in `client`, awaited."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Coroutine, Mapping
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .calling import DEFAULT_TIMEOUT, Calling
from .clock import Clock
from .notices import OnWarning
from .pools import AsyncPool
from .taping import Recording

if TYPE_CHECKING:
    from .batch.items import MapItem, MapResult
    from .batch.work import Job, Val
    from .drive import AsyncRun
    from .http import AsyncHTTPClient
    from .management.account import AsyncAccount
    from .management.accounts import AsyncAccounts
    from .management.prices import Prices
    from .management.usage import Usage
    from .plans import Plan
    from .raw import RawResponse
    from .steps import Call, Flow, T
    from .streams import AsyncStream, ResultT
    from .tasks.chat import AsyncChat
    from .tasks.classifiers import AsyncClassifiers
    from .tasks.classify import AsyncClassify
    from .tasks.embed import AsyncEmbed
    from .tasks.mapped import Mapper
    from .tasks.price import AskPrice
    from .tasks.raw import AsyncRaw
    from .tasks.server import HealthCheck, Models, Tasks
    from .tasks.summarize import AsyncSummarize
    from .wire.models import Health, ModelInfo, TaskInfo
    from .wire.prices import Price, Quote
    from .wire.usage import UsageReport


class AsyncClient(Calling):
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
        proxy: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        http_client: AsyncHTTPClient | None = None,
        clock: Clock | None = None,
        on_warning: OnWarning | None = None,
    ) -> None:
        super().__init__(
            base_url,
            api_key,
            management_key,
            ca_bundle,
            proxy,
            timeout,
            max_retries,
            clock,
            on_warning,
            is_borrowed=http_client is not None,
        )
        self._pool = AsyncPool(self._config, http_client)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        self._pool = AsyncPool(self._config, None)

    record = Recording("recorder")
    replay = Recording("player")

    @cached_property
    def classify(self) -> AsyncClassify:
        """Which of these labels does a text deserve?"""
        from .tasks.classify import Classify

        return Classify(self._run, self._mapper)

    @cached_property
    def summarize(self) -> AsyncSummarize:
        """A shorter text, and where each of its sentences comes from."""
        from .tasks.summarize import Summarize

        return Summarize(self._run, self._stream, self._mapper)

    @cached_property
    def chat(self) -> AsyncChat:
        """The next message of a conversation."""
        from .tasks.chat import AsyncChat

        return AsyncChat(self._carry_out, self._follow, self._mapper)

    @cached_property
    def embed(self) -> AsyncEmbed:
        """Texts as unit vectors."""
        from .tasks.embed import Embed

        return Embed(self._run, self._mapper)

    @cached_property
    def models(self) -> Models[Coroutine[Any, Any, list[ModelInfo]]]:
        """The models on the server's machine."""
        from .tasks.server import Models

        return Models(self._run)

    @cached_property
    def tasks(self) -> Tasks[Coroutine[Any, Any, list[TaskInfo]]]:
        """The tasks that the server offers."""
        from .tasks.server import Tasks

        return Tasks(self._run)

    @cached_property
    def health(self) -> HealthCheck[Coroutine[Any, Any, Health]]:
        """Whether the server can work."""
        from .tasks.server import HealthCheck

        return HealthCheck(self._run)

    @cached_property
    def raw(self) -> AsyncRaw:
        """The tasks, each with the whole answer: status, headers, body and result."""
        from .tasks.raw import AsyncRaw

        return AsyncRaw(self._run_raw)

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
        self._life.closed = True
        if self._life.of is None:
            await self._pool.close()
            if self._server is not None:
                from asyncio import to_thread

                await to_thread(self._server.stop)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def _repr_html_(self) -> str:
        """What notebooks show: where it leads. What is there would have to be awaited."""
        from .html.others import client_card

        return client_card(repr(self), None, [], None)

    def _start(self, flow: Flow[T]) -> AsyncRun[T]:
        from .drive import AsyncRun
        from .http.aio import AsyncWire

        return AsyncRun(flow, AsyncWire(self._pool.get, self._clock))

    async def _run(self, call: Call[T]) -> T:
        return await self._start(self._flow(call)).finish()

    def _stream(self, call: Call[ResultT]) -> AsyncStream[ResultT]:
        from .streams import AsyncStream

        return AsyncStream(lambda: self._start(self._flow(call, stream=True)))

    async def _carry_out(self, plan: Plan[T]) -> T:
        return await self._start(plan(self._asker())).finish()

    def _follow(self, plan: Plan[ResultT]) -> AsyncStream[ResultT]:
        from .streams import AsyncStream

        return AsyncStream(lambda: self._start(plan(self._asker())))

    async def _run_raw(self, call: Call[T]) -> RawResponse[T]:
        from .raw import Capture

        capture = Capture()
        return await self._start(capture.beside(self._flow(call, capture=capture))).finish()

    async def _carry_out_raw(self, plan: Plan[T]) -> RawResponse[T]:
        from .raw import Capture

        capture = Capture()
        return await self._start(capture.beside(plan(self._asker(capture)))).finish()

    @property
    def _mapper(self) -> Mapper[Any, Any]:
        from .tasks.mapped import Mapper

        return Mapper(self._map, self._imap)

    async def _map(self, job: Job[Any, Val]) -> MapResult[Val]:
        from .batch.aio import map_all

        return await map_all(job, self._begin, self._clock, self._defaults)

    def _imap(self, job: Job[Any, Val]) -> AsyncGenerator[MapItem[Val]]:
        from .batch.aio import imap

        return imap(job, self._begin, self._clock, self._defaults)

    def _begin(self, call: Call[T]) -> AsyncRun[T]:
        return self._start(self._flow(call))
