"""`POST /v1/completions`: how a text goes on, without a template around it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field, model_validator

from llmaas_client.wire.base import TaskRequest, Texts
from llmaas_client.wire.complete import CompleteRequest
from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.sampling import MAX_ANSWERS, Stop
from llmaas_client.wire.sse import data
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Delta, Result

from . import answers
from .chat import SEEDS, StreamOptions
from .fields import Body, refused
from .refusals import OpenAIFormat
from .shapes import TextChoice, TextCompletion, TextLogprobs

DEFAULT_MAX_TOKENS = 16
"""Theirs, where a request names none."""


class CompletionsBody(Body):
    """The body of `POST /v1/completions`."""

    model: str
    prompt: Texts
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    n: int = Field(default=1, ge=1, le=MAX_ANSWERS)
    seed: int | None = None
    stop: Stop | list[Stop] | None = None
    logprobs: int | None = Field(default=None, ge=0, le=20)
    stream: bool = False
    stream_options: StreamOptions | None = None
    top_k: int | None = Field(default=None, description="An addition of ours.")
    min_p: float | None = Field(default=None, description="An addition of ours.")
    repetition_penalty: float | None = Field(default=None, description="An addition of ours.")

    @model_validator(mode="before")
    @classmethod
    def _is_text(cls, given: Any) -> Any:
        items = given.get("prompt") if isinstance(given, dict) else None
        if isinstance(items, list) and items and not isinstance(items[0], str):
            raise refused("prompt", "tokens are not taken, text is")
        return given


@dataclass(frozen=True, slots=True)
class Completions(OpenAIFormat):
    """Complete, as the OpenAI SDK calls it."""

    path: ClassVar[str] = "/v1/completions"
    summary: ClassVar[str] = "Go on with a text, as the OpenAI SDK calls it"
    body: ClassVar[type[CompletionsBody]] = CompletionsBody
    answer: ClassVar[type[TextCompletion]] = TextCompletion
    task: ClassVar[str] = "chat"
    job: ClassVar[str] = "complete"

    def read(self, body: CompletionsBody) -> TaskRequest:
        fields: dict[str, Any] = {
            "model": body.model,
            "text": body.prompt,
            "max_tokens": DEFAULT_MAX_TOKENS if body.max_tokens is None else body.max_tokens,
            "temperature": body.temperature,
            "top_p": body.top_p,
            "top_k": body.top_k,
            "min_p": body.min_p,
            "repetition_penalty": body.repetition_penalty,
            "n": body.n,
            "seed": None if body.seed is None else body.seed % SEEDS,
            "stop": body.stop,
            "logprobs": body.logprobs is not None,
            "top_logprobs": body.logprobs or None,
            "stream": body.stream,
        }
        given = {name: value for name, value in fields.items() if value is not None}
        return CompleteRequest.model_validate(given)

    def write(self, body: CompletionsBody, told: Told, result: Result) -> TextCompletion:
        return TextCompletion(
            id=_id(told),
            created=told.created,
            model=told.model,
            choices=[
                TextChoice(
                    index=index,
                    text=one["text"],
                    logprobs=_logprobs(one.get("logprobs"), 0),
                    finish_reason=one["finish_reason"],
                )
                for index, one in enumerate(result.body["completions"])
            ],
            usage=answers.usage(result),
        )

    def script(self, body: CompletionsBody, told: Told) -> CompletionScript:
        options = body.stream_options or StreamOptions()
        return CompletionScript(told, with_usage=options.include_usage)

    def error(self, body: ErrorBody) -> bytes:
        return data(body.model_dump_json())


class CompletionScript:
    """The pieces of streamed completions; each ends with one that has no text and the reason."""

    def __init__(self, told: Told, *, with_usage: bool) -> None:
        self._frame: dict[str, Any] = {
            "id": _id(told),
            "object": "text_completion",
            "created": told.created,
            "model": told.model,
            "system_fingerprint": None,
        }
        self._with_usage = with_usage
        self._said: dict[int, int] = {}
        """Characters of each completion so far."""

    def start(self) -> bytes:
        return b""

    def delta(self, delta: Delta) -> bytes:
        before = self._said.get(delta.choice, 0)
        self._said[delta.choice] = before + len(delta.text)
        return self._piece(delta.choice, delta.text, logprobs=_logprobs(delta.logprobs, before))

    def end(self, result: Result) -> bytes:
        last = [
            self._piece(index, "", finish_reason=one["finish_reason"])
            for index, one in enumerate(result.body["completions"])
        ]
        if self._with_usage:
            used = answers.usage(result).model_dump()
            last.append(data(json.dumps({**self._frame, "choices": [], "usage": used})))
        return b"".join([*last, data("[DONE]")])

    def _piece(
        self,
        index: int,
        text: str,
        *,
        finish_reason: str | None = None,
        logprobs: TextLogprobs | None = None,
    ) -> bytes:
        choice = {
            "index": index,
            "text": text,
            "logprobs": None if logprobs is None else logprobs.model_dump(),
            "finish_reason": finish_reason,
        }
        piece = {**self._frame, "choices": [choice]}
        if self._with_usage:
            piece["usage"] = None
        return data(json.dumps(piece, ensure_ascii=False))


def _logprobs(tokens: Iterable[Mapping[str, Any]] | None, offset: int) -> TextLogprobs | None:
    """`offset` is where the first token's text begins in the completion."""
    if tokens is None:
        return None
    entries = list(tokens)
    offsets: list[int] = []
    for one in entries:
        offsets.append(offset)
        offset += len(one["token"])
    tops = [{top["token"]: top["logprob"] for top in one["top"]} for one in entries]
    return TextLogprobs(
        tokens=[one["token"] for one in entries],
        token_logprobs=[one["logprob"] for one in entries],
        top_logprobs=tops if any(tops) else None,
        text_offset=offsets,
    )


def _id(told: Told) -> str:
    return told.id.replace("req_", "cmpl-", 1)
