"""Chat: what comes next in a conversation."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any

from llmaas_client.wire import chat as wire
from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Finish, Finished, Generation, Grammar, Sampling
from llmaas_server.seam.values import Delta, Progress, Result

from .answers import Answer
from .base import Caller
from .grammars import grammar_of
from .meter import Meter

DEFAULT_MAX_TOKENS = 512


@dataclass(frozen=True, slots=True)
class ChatPrompt:
    ids: tuple[int, ...]
    max_tokens: int
    sampling: Sampling
    stops: tuple[str, ...]
    stop_ids: frozenset[int]
    top_logprobs: int | None
    """As in `Generation`: None for no log-probabilities."""
    grammar: Grammar | None

    @property
    def prompt_tokens(self) -> int:
        return len(self.ids)

    @property
    def max_completion_tokens(self) -> int:
        return self.max_tokens


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
        ids = model.tokenizer.encode_chat(
            [{"role": message.role, "content": message.text} for message in request.messages]
        )
        return ChatPrompt(
            ids=tuple(ids),
            max_tokens=_max_tokens(request.max_tokens, len(ids), model),
            sampling=_sampling(request, model.sampling),
            stops=_stops(request),
            stop_ids=frozenset() if request.ignore_eos else model.stop_ids,
            top_logprobs=(request.top_logprobs or 0) if request.logprobs else None,
            grammar=_grammar(request, model),
        )

    async def run(
        self, prompt: ChatPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        answer = Answer(model.tokenizer, prompt.stops, prompt.top_logprobs is not None)
        finish: wire.FinishReason = "stop"
        generation = Generation(
            prompt=prompt.ids,
            max_tokens=prompt.max_tokens,
            sampling=prompt.sampling,
            stop_ids=prompt.stop_ids,
            top_logprobs=prompt.top_logprobs,
            grammar=prompt.grammar,
            tenant=caller.tenant,
            deadline=caller.deadline,
        )
        async with aclosing(meter.generate(runtime, model, generation)) as stream:
            async for item in stream:
                if isinstance(item, Finished):
                    finish = "length" if item.reason is Finish.LENGTH else "stop"
                elif delta := answer.push(item):
                    yield delta
                if answer.stopped:
                    break
        # A stop string may be complete only with the text that the last token held back.
        if delta := answer.finish():
            yield delta
        if answer.stopped:
            finish = "stop"
        yield meter.result(_body(answer, finish))


def _max_tokens(asked: int | None, prompt: int, model: Model) -> int:
    room = model.context - prompt
    if room < 0:
        raise context_overflow(prompt, model.context)
    if room == 0:
        raise context_overflow(prompt + 1, model.context, "the prompt with one token of an answer")
    if asked is None:
        return min(DEFAULT_MAX_TOKENS, room, model.max_completion)
    if asked > room:
        raise Problem(
            "context_overflow",
            f"the prompt ({prompt} tokens) and max_tokens ({asked}) need {prompt + asked} tokens, "
            f"and the model's context has {model.context}",
            hint=f"Lower max_tokens to {room}, shorten the conversation, "
            "or choose a model with a longer context.",
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


def _grammar(request: wire.ChatRequest, model: Model) -> Grammar | None:
    wanted = request.response_format
    return None if wanted is None else model.grammar(grammar_of(wanted))


def _body(answer: Answer, finish: wire.FinishReason) -> dict[str, Any]:
    body: dict[str, Any] = {
        "message": {"role": "assistant", "content": answer.text},
        "finish_reason": finish,
    }
    if answer.logprobs is not None:
        body["logprobs"] = answer.logprobs
    return body


TASK = Chat()
