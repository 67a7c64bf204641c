"""Prices as they are told and set from outside."""

from __future__ import annotations

from llmaas_client.wire import TASKS
from llmaas_client.wire import prices as wire
from llmaas_server.errors import Problem
from llmaas_server.storage.prices import PriceRow
from llmaas_server.storage.tables import Tables

from .clock import SECOND
from .money import UNIT, from_text, to_text
from .prices import Prices, Rates
from .principals import Actor
from .trail import Trail
from .views import micros, moment


class PriceList:
    """Speaks the shapes of the wire; each change is in the audit trail."""

    def __init__(self, prices: Prices, trail: Trail) -> None:
        self._prices = prices
        self._trail = trail

    def all(self) -> wire.PriceList:
        return wire.PriceList(prices=[_price(row) for row in self._prices.rows])

    async def set(self, actor: Actor, asked: wire.PriceCreate) -> wire.Price:
        """Raises Problem `invalid_request`."""
        if asked.task is not None and asked.task not in TASKS:
            known = ", ".join(TASKS)
            raise Problem(
                "invalid_request", f"there is no such task; there are: {known}", param="task"
            )
        entry = actor.entry(
            "prices.create",
            f"{asked.model or '*'} {asked.task or '*'}",
            None,
            asked.model_dump(mode="json", exclude_none=True),
        )

        def also(tables: Tables) -> None:
            self._trail.add(tables, entry)

        row = await self._prices.set(
            _rates(asked),
            model=asked.model,
            task=asked.task,
            valid_from=None if asked.valid_from is None else micros(asked.valid_from),
            also=also,
        )
        return _price(row)


def _rates(asked: wire.PriceCreate) -> Rates:
    prompt = from_text(asked.prompt, "prompt")
    return Rates(
        prompt=prompt,
        cached=prompt if asked.cached is None else from_text(asked.cached, "cached"),
        completion=from_text(asked.completion, "completion"),
        cpu_second=from_text(asked.cpu_second, "cpu_second"),
        gpu_second=from_text(asked.gpu_second, "gpu_second"),
        most_time=-(-from_text(asked.most_seconds, "most_seconds") * SECOND // UNIT),
    )


def _price(row: PriceRow) -> wire.Price:
    return wire.Price(
        id=row.id,
        model=row.model,
        task=row.task,
        prompt=to_text(row.prompt),
        cached=to_text(row.cached),
        completion=to_text(row.completion),
        cpu_second=to_text(row.cpu_second),
        gpu_second=to_text(row.gpu_second),
        most_seconds=to_text(row.most_time * (UNIT // SECOND)),
        valid_from=moment(row.valid_from),
        created_at=moment(row.created_at),
    )
