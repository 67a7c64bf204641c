"""What both clients know, and how a call becomes a flow. Loads nothing before it is needed."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from .clock import Clock, Deadline
from .config import resolve
from .errors import ConfigurationError
from .notices import Notices, OnWarning
from .retry import RetryPolicy
from .steps import UNSET, Unset

if TYPE_CHECKING:
    from .cassette import Tape
    from .labels import Labels
    from .local import LocalServer
    from .meter import Meter
    from .plans import Asker
    from .raw import Capture
    from .steps import Call, Flow, T, Timeout

DEFAULT_TIMEOUT = 600.0
"""Seconds for a whole call, a stream's too."""


@dataclass(slots=True)
class Life:
    """Whether a client is open: closing one closes all that were made from it."""

    of: Life | None = None
    closed: bool = False

    @property
    def over(self) -> bool:
        return self.closed or (self.of is not None and self.of.over)


class Calling:
    """The base of both clients. All that one holds begins with an underscore: its doors are made
    when they are first used."""

    def __init__(
        self,
        base_url: str | None,
        api_key: str | None,
        management_key: str | None,
        ca_bundle: str | PathLike[str] | None,
        proxy: str | None,
        timeout: float | None,
        max_retries: int,
        clock: Clock | None,
        on_warning: OnWarning | None,
        is_borrowed: bool,
    ) -> None:
        self._config = resolve(base_url, api_key, ca_bundle, management_key, proxy)
        self._timeout = checked_timeout(timeout)
        self._policy = _policy(max_retries)
        self._clock = clock or Clock()
        self._notices = Notices(on_warning)
        self._life = Life()
        self._defaults: Mapping[str, Any] = {}
        self._tape: Tape | None = None
        """Where answers are written to, or come from."""
        self._server: LocalServer | None = None
        """One of its own, which ends with it."""
        self._is_borrowed = is_borrowed
        """Whether its connections are those of a client that was given."""
        self._origin = object()
        """What meters know it by: the same for all that are made from one client."""

    @property
    def base_url(self) -> str:
        """The server's address in its normal form."""
        return self._config.address.url

    @classmethod
    def local(
        cls,
        *,
        home: str | PathLike[str] | None = None,
        start_seconds: float | None = None,
        **settings: Any,
    ) -> Self:
        """A client of a server of its own, started now on this machine and ended with it.

            with Client.local() as client:
                client.classify("I love Python", labels=["negative", "positive"]).label

        The server ends when the client is closed, at the end of this process, and when this
        process dies. It needs `pip install 'llmaas[server]'`.

        Args:
            home: Where the server keeps its state; without it in a folder that goes with it.
                Models are those of the user's cache in any case.
            start_seconds: How long to wait until it is ready.
            **settings: Settings of the server, as in `llmaas.toml`: `device`, `threads`,
                `chat_model`, ….

        Raises:
            ConfigurationError: it does not start; the message has what it said.
        """
        from . import local

        server = local.start(home, settings, start_seconds or local.START_SECONDS)
        try:
            key, management_key = server.keys
            make: Any = cls  # both clients have these arguments
            client: Self = make(server.url, key, management_key=management_key)
        except BaseException:
            server.stop()
            raise
        client._server = server
        return client

    def using(
        self,
        *,
        model: str | None = None,
        labels: Labels | None = None,
        timeout: Timeout = UNSET,
        max_retries: int | None = None,
        **arguments: Any,
    ) -> Self:
        """A client with defaults of its own, over the same connections.

            quick = client.using(model="small", timeout=5)
            mood = client.using(labels=["praise", "complaint"], threshold=0.6)

        Each argument holds for the tasks that have one of this name, where a call leaves it out.
        Closing the new client closes only itself; closing this one closes both.

        Args:
            model: The model.
            labels: The labels of `classify`; a call with `classifier` does without.
            timeout: Seconds for a whole call.
            max_retries: How often to try again.
            **arguments: Any other argument of a task: `temperature`, `max_tokens`, `threshold`, ….

        Raises:
            TypeError: no task has an argument of this name.
        """
        from .defaults import checked

        twin = self._twin()
        twin._life = Life(self._life)
        twin._defaults = {
            **self._defaults,
            **checked({"model": model, "labels": labels, **arguments}),
        }
        twin._timeout = self._seconds(timeout)
        if max_retries is not None:
            twin._policy = _policy(max_retries)
        return twin

    def meter(self) -> Meter:
        """Counts what is called within its block: calls, tokens, cost, by task and by model.

        with client.meter() as meter:
            client.chat("Hello")
        print(meter.calls, meter.usage.total_tokens, meter.cost)
        """
        from .meter import Meter

        return Meter(self._origin)

    def __repr__(self) -> str:
        given = [repr(self.base_url), *(f"{k}={v!r}" for k, v in self._defaults.items())]
        if self._timeout != DEFAULT_TIMEOUT:
            given.append(f"timeout={self._timeout!r}")
        return f"{type(self).__name__}({', '.join(given)})"

    def _taped(self, tape: Tape, *, owns: bool) -> Self:
        """The same client with a tape; closing it closes the connections where it `owns` them."""
        twin = self._twin()
        twin._life = self._life if owns else Life(self._life)
        twin._tape = tape
        if tape.needs_no_key:
            twin._config = self._config.without_keys()
        return twin

    def _twin(self) -> Self:
        """The same client again, with doors of its own."""
        twin = object.__new__(type(self))
        vars(twin).update({name: item for name, item in vars(self).items() if name[0] == "_"})
        return twin

    def _flow(
        self,
        call: Call[T],
        *,
        stream: bool = False,
        deadline: Deadline | None = None,
        capture: Capture | None = None,
    ) -> Flow[T]:
        from .flow import Exchange
        from .meter import counted
        from .tracing import headers

        if self._life.over:
            raise RuntimeError("the client is closed")
        exchange = Exchange(
            config=self._config,
            policy=self._policy if call.max_retries is None else _policy(call.max_retries),
            clock=self._clock,
            deadline=deadline or self._until(call.timeout),
            idempotency_key=call.idempotency_key or uuid.uuid4().hex,
            defaults=self._defaults,
            trace=headers(),
        )
        flow = counted(
            exchange.run(self._notices.watching(call), stream=stream), call, self._origin
        )
        if capture is not None:
            flow = capture.watch(flow)
        return flow if self._tape is None else self._tape.around(flow, call, self.base_url)

    def _until(self, timeout: Timeout) -> Deadline:
        return Deadline.after(self._seconds(timeout), self._clock)

    def _seconds(self, timeout: Timeout) -> float | None:
        return self._timeout if isinstance(timeout, Unset) else checked_timeout(timeout)

    def _asker(self, capture: Capture | None = None) -> Asker:
        from functools import partial

        from .plans import Asker

        return Asker(partial(self._flow, capture=capture), self._until)

    def __getstate__(self) -> dict[str, Any]:
        """What leaves the process: where the server is and how to call it, and never a key.

        Raises TypeError for a client that holds something of this process.
        """
        if self._is_borrowed:
            raise TypeError("a client with an http_client of its own cannot be pickled")
        if self._server is not None:
            raise TypeError("a client with a server of its own cannot be pickled: it ends with it")
        return {
            "config": self._config.to_carry(),
            "timeout": self._timeout,
            "policy": self._policy,
            "defaults": dict(self._defaults),
            "tape": self._tape,
            "life": Life(closed=self._life.over),
        }

    def __setstate__(self, state: Mapping[str, Any]) -> None:
        """The same client elsewhere, with connections and keys of that place."""
        self._config = state["config"].arrived()
        self._timeout = state["timeout"]
        self._policy = state["policy"]
        self._clock = Clock()
        self._notices = Notices(None)
        self._life = state["life"]
        self._defaults = state["defaults"]
        self._tape = state["tape"]
        self._server = None
        self._is_borrowed = False
        self._origin = object()


def checked_timeout(timeout: float | None) -> float | None:
    if timeout is not None and not (timeout > 0 and math.isfinite(timeout)):
        raise ConfigurationError(
            f"timeout is {timeout}", hint="Give seconds above 0, or None for no limit."
        )
    return timeout


def _policy(max_retries: int) -> RetryPolicy:
    if max_retries < 0:
        raise ConfigurationError(f"max_retries is {max_retries}", hint="0 is no retry.")
    return RetryPolicy(max_retries)
