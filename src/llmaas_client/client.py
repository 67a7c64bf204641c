"""The client: one call is a flow, and this is what drives it.

What it offers is loaded when it is first used; making a client loads almost nothing.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from functools import cached_property
from os import PathLike
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from .calling import DEFAULT_TIMEOUT as DEFAULT_TIMEOUT
from .calling import Calling
from .clock import Clock
from .notices import OnWarning
from .pools import Pool
from .taping import Recording

if TYPE_CHECKING:
    from .batch.items import MapItem, MapResult
    from .batch.work import Job, Val
    from .drive import Run
    from .http import HTTPClient
    from .management.account import Account
    from .management.accounts import Accounts
    from .management.prices import Prices
    from .management.usage import Usage
    from .plans import Plan
    from .raw import RawResponse
    from .steps import Call, Flow, T
    from .streams import ResultT, Stream
    from .tasks.chat import Chat
    from .tasks.classifiers import Classifiers
    from .tasks.classify import SyncClassify
    from .tasks.embed import SyncEmbed
    from .tasks.mapped import Mapper
    from .tasks.price import AskPrice
    from .tasks.raw import Raw
    from .tasks.server import HealthCheck, Models, Tasks
    from .tasks.summarize import SyncSummarize
    from .wire.models import Health, ModelInfo, TaskInfo
    from .wire.prices import Price, Quote
    from .wire.usage import UsageReport


CARD_SECONDS = 2.0
"""How long a notebook waits for the server to say what it has."""


class Client(Calling):
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
        proxy: The proxy on the way, http:// or https://; else the one that the environment names
            (HTTPS_PROXY, NO_PROXY and the like), which is left out for servers on this machine.
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
        proxy: str | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        max_retries: int = 2,
        http_client: HTTPClient | None = None,
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
        self._pool = Pool(self._config, http_client)

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        super().__setstate__(state)
        self._pool = Pool(self._config, None)

    record = Recording("recorder")
    replay = Recording("player")

    @cached_property
    def classify(self) -> SyncClassify:
        """Which of these labels does a text deserve?"""
        from .tasks.classify import Classify

        return Classify(self._run, self._mapper)

    @cached_property
    def summarize(self) -> SyncSummarize:
        """A shorter text, and where each of its sentences comes from."""
        from .tasks.summarize import Summarize

        return Summarize(self._run, self._stream, self._mapper)

    @cached_property
    def chat(self) -> Chat:
        """The next message of a conversation."""
        from .tasks.chat import Chat

        return Chat(self._carry_out, self._follow, self._mapper)

    @cached_property
    def embed(self) -> SyncEmbed:
        """Texts as unit vectors."""
        from .tasks.embed import Embed

        return Embed(self._run, self._mapper)

    @cached_property
    def models(self) -> Models[list[ModelInfo]]:
        """The models on the server's machine."""
        from .tasks.server import Models

        return Models(self._run)

    @cached_property
    def tasks(self) -> Tasks[list[TaskInfo]]:
        """The tasks that the server offers."""
        from .tasks.server import Tasks

        return Tasks(self._run)

    @cached_property
    def health(self) -> HealthCheck[Health]:
        """Whether the server can work."""
        from .tasks.server import HealthCheck

        return HealthCheck(self._run)

    @cached_property
    def raw(self) -> Raw:
        """The tasks, each with the whole answer: status, headers, body and result."""
        from .tasks.raw import Raw

        return Raw(self._run_raw)

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
        self._life.closed = True
        if self._life.of is None:
            self._pool.close()
            if self._server is not None:
                self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _repr_html_(self) -> str:
        """What notebooks show: where it leads, and what is there. Asks the server, for a moment."""
        from .errors import LLMaaSError
        from .html.others import client_card

        quick = self.using(timeout=CARD_SECONDS, max_retries=0)
        health, models, problem = None, [], None
        try:
            health = quick.health()
            models = quick.models()
        except (LLMaaSError, RuntimeError) as error:
            problem = str(error)
        return client_card(repr(self), health, models, problem)

    def _start(self, flow: Flow[T]) -> Run[T]:
        from .drive import Run
        from .http.sync import Wire

        return Run(flow, Wire(self._pool.get, self._clock))

    def _run(self, call: Call[T]) -> T:
        return self._start(self._flow(call)).finish()

    def _stream(self, call: Call[ResultT]) -> Stream[ResultT]:
        from .streams import Stream

        return Stream(lambda: self._start(self._flow(call, stream=True)))

    def _carry_out(self, plan: Plan[T]) -> T:
        return self._start(plan(self._asker())).finish()

    def _follow(self, plan: Plan[ResultT]) -> Stream[ResultT]:
        from .streams import Stream

        return Stream(lambda: self._start(plan(self._asker())))

    def _run_raw(self, call: Call[T]) -> RawResponse[T]:
        from .raw import Capture

        capture = Capture()
        return self._start(capture.beside(self._flow(call, capture=capture))).finish()

    def _carry_out_raw(self, plan: Plan[T]) -> RawResponse[T]:
        from .raw import Capture

        capture = Capture()
        return self._start(capture.beside(plan(self._asker(capture)))).finish()

    @property
    def _mapper(self) -> Mapper[Any, Any]:
        from .tasks.mapped import Mapper

        return Mapper(self._map, self._imap)

    def _map(self, job: Job[Any, Val]) -> MapResult[Val]:
        from .batch.sync import map_all

        return map_all(job, self._begin, self._clock, self._defaults)

    def _imap(self, job: Job[Any, Val]) -> Generator[MapItem[Val]]:
        from .batch.sync import imap

        return imap(job, self._begin, self._clock, self._defaults)

    def _begin(self, call: Call[T]) -> Run[T]:
        return self._start(self._flow(call))
