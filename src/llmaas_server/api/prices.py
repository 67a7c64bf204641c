"""`/v1/prices`, and what one call would cost."""

from __future__ import annotations

from typing import Any

from starlette.types import Receive, Scope, Send

from llmaas_client.wire import TASKS, TaskSpec
from llmaas_client.wire.base import ModelChoice
from llmaas_client.wire.prices import Price, PriceCreate, PriceList, Quote
from llmaas_server.gateway.access import ANY_KEY, management, task
from llmaas_server.gateway.calls import Calls
from llmaas_server.gateway.metering import Quoted
from llmaas_server.gateway.money import to_text
from llmaas_server.gateway.price_list import PriceList as Prices

from . import calling
from .body import parse
from .endpoint import CALL_ERRORS, Endpoint
from .exchange import DEADLINE, Exchange
from .managing import Asked, Desk

PATH = "/v1/prices"


class PriceDesk:
    """What each request means to the service."""

    def __init__(self, prices: Prices) -> None:
        self._prices = prices

    async def list(self, asked: Asked[None]) -> PriceList:
        return self._prices.all()

    async def create(self, asked: Asked[PriceCreate]) -> Price:
        return await self._prices.set(asked.actor, asked.body)


class AskPrice:
    """`POST /v1/tasks/{task}/price`: the task's own request, measured and not run."""

    def __init__(self, spec: TaskSpec[Any, Any], calls: Calls, max_body_bytes: int) -> None:
        self._spec = spec
        self._calls = calls
        self._max_body_bytes = max_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        exchange = Exchange(scope, receive, send)
        body = await exchange.body(self._max_body_bytes)
        asked = parse(self._spec.request, body)
        call = await calling.prepare(
            self._calls, exchange, self._spec.name, asked, ability=self._spec.ability
        )

        async def answer() -> None:
            quoted = await self._calls.quote(call, exchange.principal)
            await exchange.send_json(_quote(quoted).model_dump_json().encode())

        await exchange.while_connected(answer())


def _quote(quoted: Quoted) -> Quote:
    call, measurement = quoted.call, quoted.measurement
    choice = call.choice
    return Quote(
        model=call.model.name,
        model_choice=None if choice is None else ModelChoice(by=choice.by, reason=choice.reason),
        prompt_tokens=measurement.prompt_tokens,
        max_completion_tokens=measurement.max_completion_tokens,
        cost=None if quoted.cost is None else to_text(quoted.cost),
    )


def endpoints(prices: Prices, calls: Calls, desk: Desk) -> list[Endpoint]:
    asking = [
        Endpoint(
            "POST",
            f"{spec.path}/price",
            f"What {spec.name} would cost",
            AskPrice(spec, calls, desk.max_body_bytes),
            task(spec.name),
            answer=Quote,
            body=spec.request,
            headers=(DEADLINE,),
            errors=CALL_ERRORS,
        )
        for spec in TASKS.values()
    ]
    return [*asking, *managing(prices, desk)]


def managing(prices: Prices, desk: Desk) -> list[Endpoint]:
    """Those that need nothing that computes."""
    service = PriceDesk(prices)
    return [
        desk.endpoint("GET", PATH, "List the prices", service.list, ANY_KEY, PriceList),
        desk.endpoint(
            "POST",
            PATH,
            "Set a price",
            service.create,
            management("prices:write"),
            Price,
            body=PriceCreate,
        ),
    ]
