"""Complete: how texts go on."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

from llmaas_client.wire import complete as wire
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .answers.making import Making, make, making_of
from .answers.plan import Plan
from .answers.shape import Shape
from .base import Caller
from .concurrent import interleaved
from .meter import Meter


@dataclass(frozen=True, slots=True)
class CompletePrompt:
    texts: tuple[Making, ...]
    n: int

    @property
    def prompt_tokens(self) -> int:
        """Each text is computed once, however often it is gone on with."""
        return sum(len(making.plan.ids) for making in self.texts)

    @property
    def max_completion_tokens(self) -> int:
        return self.n * sum(making.max_tokens for making in self.texts)


class Complete:
    spec = wire.SPEC

    def prompt(
        self, request: wire.CompleteRequest, model: Model, embedder: Model | None
    ) -> CompletePrompt:
        if model.ref.kind != "decoder":
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} ({model.ref.kind}) cannot go on with a text",
                hint="Choose a chat model: GET /v1/models lists the tasks of each.",
                param="model",
            )
        texts = [request.text] if isinstance(request.text, str) else request.text
        return CompletePrompt(tuple(_making(text, request, model) for text in texts), request.n)

    async def run(
        self, prompt: CompletePrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        answers: list[AsyncGenerator[Delta | dict[str, Any], None]] = []
        for making in prompt.texts:
            begun = asyncio.Event()
            answers += [
                make(
                    number,
                    making,
                    model,
                    runtime,
                    caller,
                    meter,
                    begun,
                    choice=len(answers) + number,
                )
                for number in range(prompt.n)
            ]
        bodies: dict[int, dict[str, Any]] = {}
        async with aclosing(interleaved(answers)) as news:
            async for number, item in news:
                if isinstance(item, Delta):
                    yield item
                else:
                    bodies[number] = item
        completions = [_completion(bodies[number]) for number in range(len(answers))]
        yield meter.result({"completions": completions})


def _making(text: str, request: wire.CompleteRequest, model: Model) -> Making:
    """The text alone, and anything after it."""
    planned = Plan(tuple(model.tokenizer.encode(text)), Shape(), None)
    return making_of(request, planned, model, hides_reasoning=False)


def _completion(body: dict[str, Any]) -> dict[str, Any]:
    completion = {"text": body["message"]["content"], "finish_reason": body["finish_reason"]}
    return completion | ({"logprobs": body["logprobs"]} if "logprobs" in body else {})


TASK = Complete()
