"""What a piece of a program used: calls, tokens, cost, by task and by model."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, cast

if TYPE_CHECKING:
    from .steps import Call, Flow
    from .wire.base import Result, Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Used:
    """Sums over calls."""

    calls: int = 0
    """Calls that ended well; those that failed are counted apart."""
    failed: int = 0
    prompt_tokens: int = 0
    cached_tokens: int = 0
    completion_tokens: int = 0
    cost: Decimal | None = None
    """Exact; None where nothing had a price."""

    @property
    def total_tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens

    @property
    def usage(self) -> Usage:
        """The tokens, as results have them."""
        from .wire.base import Usage

        return Usage(
            prompt_tokens=self.prompt_tokens,
            cached_tokens=self.cached_tokens,
            completion_tokens=self.completion_tokens,
        )

    def __add__(self, other: Used) -> Used:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Used(
            self.calls + other.calls,
            self.failed + other.failed,
            self.prompt_tokens + other.prompt_tokens,
            self.cached_tokens + other.cached_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs, Decimal()) if costs else None,
        )


class Meter:
    """Counts the calls of a client that are made within its block.

        with client.meter() as meter:
            client.chat("Hello")
        print(meter.calls, meter.usage.total_tokens, meter.cost)

    It counts what is called in the block, in the async tasks and `asyncio.to_thread` threads that
    are started there, and in `map`; not what the rest of the program does meanwhile. A thread of
    your own starts with nothing of its maker's: enter the same meter there, too.
    """

    def __init__(self, of: object) -> None:
        self.of = of
        """The client whose calls it counts, with all that are made from it by `using`."""
        self._used: dict[tuple[str, str | None], Used] = {}
        self._lock = threading.Lock()

    @property
    def total(self) -> Used:
        return _sum(self._rows().values())

    @property
    def calls(self) -> int:
        """Calls that ended well."""
        return self.total.calls

    @property
    def failed(self) -> int:
        """Calls that ended with an error, or were left before their end."""
        return self.total.failed

    @property
    def usage(self) -> Usage:
        """All tokens."""
        return self.total.usage

    @property
    def cost(self) -> Decimal | None:
        """The exact sum of what had a price; None where nothing had."""
        return self.total.cost

    @property
    def by_task(self) -> dict[str, Used]:
        """`classify`, `chat`, … -> what they used."""
        return _grouped((task, used) for (task, _), used in self._rows().items())

    @property
    def by_model(self) -> dict[str, Used]:
        """Model -> what it used. Calls that failed are of no model."""
        rows = self._rows().items()
        return _grouped((model, used) for (_, model), used in rows if model is not None)

    def add(self, task: str, result: Result | None) -> None:
        """Count a call; None is one that failed."""
        key = (task, None if result is None else result.model)
        used = Used(failed=1) if result is None else used_by(result)
        with self._lock:
            self._used[key] = self._used.get(key, Used()) + used

    def _rows(self) -> Mapping[tuple[str, str | None], Used]:
        with self._lock:
            return dict(self._used)

    def __enter__(self) -> Self:
        _running.set((*_running.get(), self))
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        entered = list(_running.get())
        del entered[len(entered) - 1 - entered[::-1].index(self)]
        _running.set(tuple(entered))

    def _repr_html_(self) -> str:
        """What notebooks show."""
        from .html.sums import meter

        return meter(self)

    def __rich_repr__(self) -> Iterator[tuple[str, Any]]:
        total = self.total
        yield "calls", total.calls
        yield "failed", total.failed
        yield "tokens", total.total_tokens
        yield "cost", total.cost

    def __repr__(self) -> str:
        total = self.total
        cost = "" if total.cost is None else f", cost {total.cost}"
        failed = f", {total.failed} failed" if total.failed else ""
        return f"<Meter: {total.calls} calls{failed}, {total.total_tokens} tokens{cost}>"


_running: ContextVar[tuple[Meter, ...]] = ContextVar("llmaas_meters", default=())
"""Those that are entered in this thread or task."""


def counted(flow: Flow[T], call: Call[T], of: object) -> Flow[T]:
    """The same flow, seen by the meters of `of` that are running here and now."""
    meters = tuple(meter for meter in _running.get() if meter.of is of)
    task = _task_of(call)
    return _count(flow, task, meters) if meters and task is not None else flow


def _count(flow: Flow[T], task: str, meters: Sequence[Meter]) -> Flow[T]:
    try:
        result = yield from flow
    except BaseException:
        for meter in meters:
            meter.add(task, None)
        raise
    for meter in meters:
        meter.add(task, cast("Result", result))
    return result


_TASKS = "/v1/tasks/"
_JOBS = {"/v1/classifiers": "train_classifier"}


def _task_of(call: Call[Any]) -> str | None:
    """The task of a call that computes; None for what only asks or manages."""
    if call.verb != "POST":
        return None
    name = call.path.removeprefix(_TASKS)
    if name != call.path:
        return name if "/" not in name else None
    return _JOBS.get(call.path)


def used_by(result: Result) -> Used:
    usage = result.usage
    cost = None if result.cost is None else Decimal(result.cost)
    return Used(1, 0, usage.prompt_tokens, usage.cached_tokens, usage.completion_tokens, cost)


def _sum(parts: Iterable[Used]) -> Used:
    total = Used()
    for part in parts:
        total += part
    return total


def _grouped(parts: Iterable[tuple[str, Used]]) -> dict[str, Used]:
    groups: dict[str, Used] = {}
    for name, used in parts:
        groups[name] = groups.get(name, Used()) + used
    return groups
