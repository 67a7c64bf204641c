"""Chat: what comes next in a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from llmaas_client.wire import chat as wire
from llmaas_client.wire.sampling import DEFAULT_MAX_TOKENS
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .answers.making import Making, make, making_of
from .answers.plan import encoder, plan
from .base import Caller
from .concurrent import interleaved
from .documents.reading import Given, cite, search
from .documents.shelf import Shelf, shelf_of
from .meter import Meter


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    making: Making
    n: int
    shelf: Shelf | None = None
    """The documents, where there are some; the prompt is made when they were searched."""

    @property
    def prompt_tokens(self) -> int:
        """Computed once, however many answers there are."""
        return len(self.making.plan.ids) if self.shelf is None else self.shelf.prompt_tokens

    @property
    def max_completion_tokens(self) -> int:
        return self.n * self.making.max_tokens


class Chat:
    spec = wire.SPEC

    def prompt(self, request: wire.ChatRequest, model: Model, embedder: Model | None) -> ChatPrompt:
        if model.ref.kind != "decoder":
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} ({model.ref.kind}) cannot chat",
                hint="Choose a chat model: GET /v1/models lists the tasks of each.",
                param="model",
            )
        planned = plan(request, request.messages, model)
        shelf = None
        if request.documents is not None:
            reserved = request.max_tokens or min(DEFAULT_MAX_TOKENS, max(1, model.context // 4))
            shelf = shelf_of(request, model, embedder, encoder(request, model), reserved)
        making = making_of(
            request,
            planned,
            model,
            ends=not request.ignore_eos,
            hides_reasoning=request.reasoning != "include",
        )
        return ChatPrompt(making, request.n, shelf)

    async def run(
        self, prompt: ChatPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        given: Given | None = None
        if prompt.shelf is not None:
            async with aclosing(search(prompt.shelf, runtime, caller, meter)) as searching:
                async for found in searching:
                    if isinstance(found, Progress):
                        yield found
                    else:
                        given = found
                        prompt = _with(prompt, found, model)
        begun = asyncio.Event()
        answers = [
            make(number, prompt.making, model, runtime, caller, meter, begun)
            for number in range(prompt.n)
        ]
        bodies: dict[int, dict[str, Any]] = {}
        async with aclosing(interleaved(answers)) as news:
            async for number, item in news:
                if isinstance(item, Delta):
                    yield item
                else:
                    bodies[number] = item
        body = dict(bodies[0])
        if prompt.n > 1:
            body["choices"] = [bodies[number] for number in range(prompt.n)]
        if prompt.shelf is not None and given is not None:
            answer = body["message"]["content"]
            body |= await cite(answer, given, prompt.shelf, runtime, caller, meter)
        yield meter.result(body)


def _with(prompt: ChatPrompt, given: Given, model: Model) -> ChatPrompt:
    """The prompt that has the passages in it, and an answer that has room beside them."""
    making = prompt.making
    room = model.context - len(given.ids)
    making = replace(
        making,
        plan=replace(making.plan, ids=given.ids),
        max_tokens=min(making.max_tokens, room),
    )
    return replace(prompt, making=making)


TASK = Chat()
