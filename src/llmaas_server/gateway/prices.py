"""What calls cost.

Prices are nano-units for a million tokens and for a second, a million microseconds: every part of
a cost is quantity * price / 10^6. The parts are summed exactly and the sum is rounded up, once, to
a whole nano-unit. So what costs anything never costs nothing, and a call never costs more than
what was reserved for it from the same price.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, astuple, dataclass

from llmaas_server.errors import Problem
from llmaas_server.seam.values import Measurement, Times, Usage
from llmaas_server.storage.database import Database
from llmaas_server.storage.prices import PriceRow
from llmaas_server.storage.tables import Tables, Unit, nothing

from .clock import Clock
from .money import MOST

MILLION = 1_000_000


@dataclass(frozen=True, slots=True)
class Rates:
    """The numbers of a price."""

    prompt: int = 0
    cached: int = 0
    completion: int = 0
    cpu_second: int = 0
    gpu_second: int = 0
    most_time: int = 0
    """Microseconds that a call is charged for at most. They are reserved for each call, so a price
    for time without them charges nothing."""


def quote(price: PriceRow, measurement: Measurement) -> int:
    """What a call costs at most: what is reserved for it."""
    return _rounded(
        measurement.prompt_tokens * max(price.prompt, price.cached)
        + measurement.max_completion_tokens * price.completion
        + _most_for_time(price)
    )


NO_TIMES = Times()


def cost(price: PriceRow, usage: Usage, times: Times = NO_TIMES) -> int:
    """What a call costs that used so much."""
    fresh = usage.prompt_tokens - usage.cached_tokens
    time = times.cpu_us * price.cpu_second + times.gpu_us * price.gpu_second
    return _rounded(
        fresh * price.prompt
        + usage.cached_tokens * price.cached
        + usage.completion_tokens * price.completion
        + min(time, _most_for_time(price))
    )


def _most_for_time(price: PriceRow) -> int:
    return price.most_time * max(price.cpu_second, price.gpu_second)


def _rounded(millionths: int) -> int:
    """Up, to a whole nano-unit."""
    return -(-millionths // MILLION)


def choose(prices: Iterable[PriceRow], model: str, task: str, at: int) -> PriceRow | None:
    """The price of a call: of its model and task, else its model, else its task, else of any.

    Of several versions the one that is valid latest, and of those the one set last.
    """
    valid = (
        price
        for price in prices
        if price.model in (None, model) and price.task in (None, task) and price.valid_from <= at
    )
    return max(
        valid,
        key=lambda price: (
            price.model is not None,
            price.task is not None,
            price.valid_from,
            price.id,
        ),
        default=None,
    )


class Prices:
    """All versions of all prices, kept in memory; the server that owns the database sets them."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._rows: tuple[PriceRow, ...] = ()

    @property
    def rows(self) -> tuple[PriceRow, ...]:
        """Every version, in the order in which they were set."""
        return self._rows

    async def load(self) -> None:
        """Read what is there; once, before the first call."""
        self._rows = tuple(await self._database.read(lambda tables: tables.prices.all()))

    def now(self, model: str, task: str) -> PriceRow | None:
        """The price of a call that is admitted now; None where it costs nothing."""
        return choose(self._rows, model, task, self._clock())

    async def set(
        self,
        rates: Rates,
        *,
        model: str | None = None,
        task: str | None = None,
        valid_from: int | None = None,
        also: Unit[None] = nothing,
    ) -> PriceRow:
        """Add a version, for any model and any task where they are None.

        `also` is done in the same transaction. Raises Problem `invalid_request`.
        """
        _check(rates)
        now = self._clock()
        if valid_from is not None and valid_from < now:
            raise Problem("invalid_request", "a price cannot begin in the past", param="valid_from")

        def unit(tables: Tables) -> PriceRow:
            row = PriceRow(
                id=tables.prices.next_id(),
                model=model,
                task=task,
                valid_from=now if valid_from is None else valid_from,
                created_at=now,
                **asdict(rates),
            )
            tables.prices.add(row)
            also(tables)
            return row

        row = await self._database.write(unit)
        self._rows = (*self._rows, row)
        return row


def _check(rates: Rates) -> None:
    if not all(0 <= number <= MOST for number in astuple(rates)):
        raise Problem("invalid_request", "prices are not negative, and have 64 bits")
    if (rates.cpu_second or rates.gpu_second) and not rates.most_time:
        raise Problem(
            "invalid_request",
            "a price for time needs most_seconds: the time that a call is charged for at most",
            hint="Without it nobody could say what a call reserves of a budget.",
            param="most_seconds",
        )
