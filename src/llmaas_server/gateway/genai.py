"""What traces say of a call, in the words of OpenTelemetry's conventions for generative AI.

https://opentelemetry.io/docs/specs/semconv/gen-ai/ ; what those have no word for is `llmaas.…`.
Nothing that a caller wrote is said: no text, no label, no stop sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llmaas_server.seam.values import Call, Timing, Usage

from .tracing import Attribute

OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
RESPONSE_ID = "gen_ai.response.id"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
OUTPUT_TYPE = "gen_ai.output.type"
STREAM = "gen_ai.request.stream"
CHOICES = "gen_ai.request.choice.count"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
CACHED_TOKENS = "gen_ai.usage.cache_read.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
TASK = "llmaas.task"
CHOSEN_BY = "llmaas.model.chosen_by"
COST = "llmaas.cost"

_OPERATIONS = {"chat": "chat", "complete": "text_completion", "embed": "embeddings"}
"""Ours and theirs; other tasks have none of their words, and keep their own."""

_SAMPLING = ("max_tokens", "temperature", "top_p", "top_k", "seed")
"""Fields of requests that are asked for by the same word."""


def operation_of(task: str) -> str:
    return _OPERATIONS.get(task, task)


def span_name(call: Call) -> str:
    """`chat smollm2-135m-instruct-q4_1`."""
    return f"{operation_of(call.task)} {call.model.name}"


def of_call(call: Call) -> dict[str, Attribute]:
    """What is known before it runs."""
    asked = call.request
    told: dict[str, Attribute] = {
        OPERATION: operation_of(call.task),
        PROVIDER: "llmaas",
        REQUEST_MODEL: call.model.name,
        RESPONSE_ID: call.id,
        STREAM: call.stream,
        TASK: call.task,
    }
    told |= {
        f"gen_ai.request.{name}": value
        for name in _SAMPLING
        if isinstance(value := asked.get(name), int | float)
    }
    if isinstance(choices := asked.get("n"), int):
        told[CHOICES] = choices
    if call.task == "chat":
        told[OUTPUT_TYPE] = _output_type(asked.get("response_format"))
    if call.choice is not None:
        told[CHOSEN_BY] = call.choice.by
    return told


def of_usage(usage: Usage) -> dict[str, Attribute]:
    return {
        INPUT_TOKENS: usage.prompt_tokens,
        CACHED_TOKENS: usage.cached_tokens,
        OUTPUT_TOKENS: usage.completion_tokens,
    }


def of_result(body: Mapping[str, Any], timing: Timing) -> dict[str, Attribute]:
    """What is known of an answer: why it ended, and seconds of its phases."""
    told: dict[str, Attribute] = {
        "llmaas.queue_seconds": timing.queue_ms / 1000,
        "llmaas.prefill_seconds": timing.prefill_ms / 1000,
        "llmaas.decode_seconds": timing.decode_ms / 1000,
    }
    answers = body.get("choices") or [body]
    reasons = [one["finish_reason"] for one in answers if one.get("finish_reason")]
    return told | ({FINISH_REASONS: reasons} if reasons else {})


def _output_type(format: Any) -> str:
    kind = format.get("type") if isinstance(format, Mapping) else None
    return "json" if kind in ("json", "json_object", "json_schema") else "text"
