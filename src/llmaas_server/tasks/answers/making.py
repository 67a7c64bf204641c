"""How one answer to a prompt is made: what it is sampled by, and its tokens as they come."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from llmaas_client.wire.sampling import DEFAULT_MAX_TOKENS, Sampled
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finish, Finished, Generation, Sampling
from llmaas_server.seam.values import Delta
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.tools.rendering import call_id

from .answer import Answer
from .answer import Finish as Ending
from .plan import Plan, about_tools

_SEEDS = 2**63


@dataclass(frozen=True, slots=True)
class Making:
    """What all answers to one prompt have in common."""

    plan: Plan
    max_tokens: int
    """Of each of them."""
    sampling: Sampling
    stops: tuple[str, ...]
    stop_ids: frozenset[int]
    top_logprobs: int | None
    """As in `Generation`: None for no log-probabilities."""
    hides_reasoning: bool = False


def making_of(
    request: Sampled, planned: Plan, model: Model, *, ends: bool = True, hides_reasoning: bool
) -> Making:
    """`ends`: whether the model says when it is done. Raises Problem `context_overflow`."""
    return Making(
        plan=planned,
        max_tokens=_max_tokens(request.max_tokens, len(planned.ids), model),
        sampling=_sampling(request, model.sampling),
        stops=_stops(request),
        stop_ids=model.stop_ids if ends else frozenset(),
        top_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
        hides_reasoning=hides_reasoning,
    )


async def make(
    number: int,
    making: Making,
    model: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
    begun: asyncio.Event,
    *,
    choice: int | None = None,
) -> AsyncGenerator[Delta | dict[str, Any], None]:
    """One of the answers to a prompt: its deltas, then its body.

    The first one computes the prompt and sets `begun`; the others find that computed. `choice` is
    its number among all answers of the call, where there are several prompts.
    """
    position = number if choice is None else choice
    if number:
        await begun.wait()
    answer = Answer(
        model.tokenizer,
        making.plan.shape,
        making.stops,
        choice=position,
        logprobs=making.top_logprobs is not None,
        hides_reasoning=making.hides_reasoning,
        call_id=lambda call: call_id(f"{caller.call} {position} {call}"),
    )
    ending: Ending = "stop"
    generation = _generation(number, making, caller)
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
        if problem.param == "response_format" and making.plan.shape.calls is not None:
            raise about_tools(problem) from problem
        raise
    # A stop string may be complete only with the text that the last token held back.
    for delta in answer.finish():
        yield delta
    yield answer.body("stop" if answer.stopped else ending)


def _generation(number: int, making: Making, caller: Caller) -> Generation:
    """Each answer has a seed of its own, where there is one: the first has that of the request."""
    sampling = making.sampling
    if sampling.seed is not None:
        sampling = replace(sampling, seed=(sampling.seed + number) % _SEEDS)
    return Generation(
        prompt=making.plan.ids,
        max_tokens=making.max_tokens,
        sampling=sampling,
        stop_ids=making.stop_ids,
        top_logprobs=making.top_logprobs,
        grammar=making.plan.grammar,
        tenant=caller.tenant,
        deadline=caller.deadline,
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


def _sampling(request: Sampled, defaults: Sampling) -> Sampling:
    """The model's defaults, where the request does not say otherwise."""
    fields = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty", "seed")
    asked = {name: getattr(request, name) for name in fields}
    return replace(defaults, **{name: value for name, value in asked.items() if value is not None})


def _stops(request: Sampled) -> tuple[str, ...]:
    if isinstance(request.stop, str):
        return (request.stop,)
    return tuple(request.stop or ())
