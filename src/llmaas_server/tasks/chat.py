"""Chat: what comes next in a conversation."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from llmaas_client.wire import chat as wire
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finish, Finished, Generation, Sampling
from llmaas_server.seam.values import Delta, Progress, Result

from .answers.answer import Answer
from .answers.answer import Finish as Ending
from .answers.plan import Plan, about_tools, encoder, plan
from .base import Caller
from .concurrent import interleaved
from .documents.reading import Given, cite, search
from .documents.shelf import Shelf, shelf_of
from .meter import Meter
from .tools.rendering import call_id

_SEEDS = 2**63

DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    plan: Plan
    n: int
    max_tokens: int
    """Of each of the `n` answers."""
    sampling: Sampling
    stops: tuple[str, ...]
    stop_ids: frozenset[int]
    top_logprobs: int | None
    """As in `Generation`: None for no log-probabilities."""
    hides_reasoning: bool
    shelf: Shelf | None = None
    """The documents, where there are some; the prompt is made when they were searched."""

    @property
    def prompt_tokens(self) -> int:
        """Computed once, however many answers there are."""
        return len(self.plan.ids) if self.shelf is None else self.shelf.prompt_tokens

    @property
    def max_completion_tokens(self) -> int:
        return self.n * self.max_tokens


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
        return ChatPrompt(
            plan=planned,
            n=request.n,
            max_tokens=_max_tokens(request.max_tokens, len(planned.ids), model),
            shelf=shelf,
            sampling=_sampling(request, model.sampling),
            stops=_stops(request),
            stop_ids=frozenset() if request.ignore_eos else model.stop_ids,
            top_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
            hides_reasoning=request.reasoning != "include",
        )

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
            _answer(number, prompt, model, runtime, caller, meter, begun)
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


async def _answer(
    number: int,
    prompt: ChatPrompt,
    model: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
    begun: asyncio.Event,
) -> AsyncGenerator[Delta | dict[str, Any], None]:
    """One of the answers: its deltas, then its body.

    The first one computes the prompt and sets `begun`; the others find that computed.
    """
    if number:
        await begun.wait()
    answer = Answer(
        model.tokenizer,
        prompt.plan.shape,
        prompt.stops,
        choice=number,
        logprobs=prompt.top_logprobs is not None,
        hides_reasoning=prompt.hides_reasoning,
        call_id=lambda call: call_id(f"{caller.call} {number} {call}"),
    )
    ending: Ending = "stop"
    generation = _generation(number, prompt, caller)
    try:
        async with aclosing(
            meter.generate(runtime, model, generation, shares=number > 0)
        ) as stream:
            async for item in stream:
                begun.set()
                if isinstance(item, Finished):
                    ending = "length" if item.reason is Finish.LENGTH else "stop"
                else:
                    for delta in answer.push(item):
                        yield delta
                if answer.stopped:
                    break
    except Problem as problem:
        if problem.param == "response_format" and prompt.plan.shape.calls is not None:
            raise about_tools(problem) from problem
        raise
    # A stop string may be complete only with the text that the last token held back.
    for delta in answer.finish():
        yield delta
    yield answer.body("stop" if answer.stopped else ending)


def _generation(number: int, prompt: ChatPrompt, caller: Caller) -> Generation:
    """Each answer has a seed of its own, where there is one: the first has that of the request."""
    sampling = prompt.sampling
    if sampling.seed is not None:
        sampling = replace(sampling, seed=(sampling.seed + number) % _SEEDS)
    return Generation(
        prompt=prompt.plan.ids,
        max_tokens=prompt.max_tokens,
        sampling=sampling,
        stop_ids=prompt.stop_ids,
        top_logprobs=prompt.top_logprobs,
        grammar=prompt.plan.grammar,
        tenant=caller.tenant,
        deadline=caller.deadline,
    )


def _with(prompt: ChatPrompt, given: Given, model: Model) -> ChatPrompt:
    """The prompt that has the passages in it, and an answer that has room beside them."""
    room = model.context - len(given.ids)
    return replace(
        prompt,
        plan=replace(prompt.plan, ids=given.ids),
        max_tokens=min(prompt.max_tokens, room),
    )


def _max_tokens(asked: int | None, prompt: int, model: Model) -> int:
    """What is needed is always the prompt with the answer, so that callers can reckon with it."""
    room = model.context - prompt
    if asked is None and room < 1:
        raise context_overflow(prompt + 1, model.context, "the prompt with one token of an answer")
    if asked is None:
        return min(DEFAULT_MAX_TOKENS, room, model.max_completion)
    if asked > room:
        raise Problem(
            "context_overflow",
            f"the prompt ({prompt} tokens) and max_tokens ({asked}) need {prompt + asked} tokens, "
            f"and the model's context has {model.context}",
            hint=f"{f'Lower max_tokens to {room}, shorten' if room > 0 else 'Shorten'} "
            "the conversation, or choose a model with a longer context.",
            param="max_tokens",
            needed=prompt + asked,
            limit=model.context,
        )
    return asked


def _sampling(request: wire.ChatRequest, defaults: Sampling) -> Sampling:
    """The model's defaults, where the request does not say otherwise."""
    fields = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed")
    asked = {name: getattr(request, name) for name in fields}
    return replace(defaults, **{name: value for name, value in asked.items() if value is not None})


def _stops(request: wire.ChatRequest) -> tuple[str, ...]:
    if isinstance(request.stop, str):
        return (request.stop,)
    return tuple(request.stop or ())


TASK = Chat()
