"""Responses as the description of the API has them: the result, events of streams, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from llmaas_client.wire import REQUEST_ID_HEADER
from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import Access

from .endpoint import Endpoint, EventShape
from .examples import Example
from .limits import POLICY_HEADER, RATES_HEADER
from .problems import CHALLENGE, CHALLENGE_HEADER, MESSAGE_HEADER, RETRY_HEADER
from .schemas import Schema, reference

EVERYWHERE: tuple[ErrorCode, ...] = (
    "malformed_request",
    "not_allowed",
    "request_timeout",
    "rate_limited",
    "headers_too_large",
    "internal_error",
)
"""How requests to any address may go wrong."""

HEADERS: dict[str, Schema] = {
    REQUEST_ID_HEADER: {
        "description": "The name of the request, in logs and in the ledger.",
        "schema": {"type": "string"},
    },
    "retry-after": {
        "description": "Seconds until it is worth another try; where that is known.",
        "schema": {"type": "integer", "minimum": 0},
    },
    RETRY_HEADER: {
        "description": "Whether the same request may succeed later.",
        "schema": {"type": "string", "enum": ["true", "false"]},
    },
    MESSAGE_HEADER: {
        "description": "The message of the error, in one line of ASCII.",
        "schema": {"type": "string"},
    },
    CHALLENGE_HEADER: {
        "description": "How to send a key.",
        "schema": {"type": "string"},
        "example": CHALLENGE,
    },
    POLICY_HEADER: {
        "description": "Each limit of the key: its quota (`q`) for so many seconds (`w`). Absent "
        "where there is none.",
        "schema": {"type": "string"},
        "example": '"key-requests";q=60;w=60',
    },
    RATES_HEADER: {
        "description": "What remains of each limit (`r`), and the seconds until all of it is there "
        "again (`t`).",
        "schema": {"type": "string"},
        "example": '"key-requests";r=59;t=1',
    },
}
"""By which responses say more than their bodies do."""


def answer_of(endpoint: Endpoint, example: Example) -> dict[str, Any]:
    content: dict[str, Any] = {one: {"schema": {"type": "string"}} for one in endpoint.texts}
    if endpoint.answer or not content:
        schema = reference(endpoint.answer) if endpoint.answer else {"type": "object"}
        content = {"application/json": {"schema": schema}, **content}
    if example.answer is not None:
        next(iter(content.values()))["example"] = example.answer
    names = [REQUEST_ID_HEADER, *_limits(endpoint.access)]
    told: Schema = {"description": "The result.", "headers": _headers(*names)}
    if endpoint.events:
        stream: Schema = {"schema": _stream(endpoint.events)}
        if example.stream is not None:
            stream["examples"] = {"stream": {"summary": "As sent.", "value": example.stream}}
        content["text/event-stream"] = stream
        told["description"] = "The result; with `stream`, its events."
    return {**told, "content": content}


def _stream(events: Sequence[EventShape]) -> Schema:
    """One event of a stream: of these kinds, and of no other."""
    named = ", ".join(f"`{one.name}`" for one in events if one.name)
    kinds = f" Their names: {named}." if named else " They have no names."
    return {
        "description": f"Server-sent events, each of one of these shapes.{kinds}",
        "oneOf": [_event(one) for one in events],
    }


def _event(event: EventShape) -> Schema:
    fields: dict[str, Schema] = {}
    if event.name is not None:
        fields["event"] = {"const": event.name}
    if isinstance(event.data, str):
        fields["data"] = {"const": event.data}
    else:
        fields["data"] = {
            "type": "string",
            "contentMediaType": "application/json",
            "contentSchema": reference(event.data),
        }
    return {"type": "object", "properties": fields, "required": list(fields)}


def errors_of(endpoint: Endpoint) -> dict[str, Any]:
    """One response for each status, naming the codes that it stands for."""
    codes: list[ErrorCode] = [*endpoint.errors, *EVERYWHERE]
    if not endpoint.access.is_public:
        codes += ["missing_key", "invalid_key"]
    by_status: dict[int, list[ErrorCode]] = {}
    for code in dict.fromkeys(codes):
        status = ERRORS[code].status
        by_status.setdefault(endpoint.statuses.get(status, status), []).append(code)
    others = _by_status(endpoint.others)
    return {
        str(status): _error(by_status.get(status, ()), others.get(status), endpoint.access)
        for status in sorted(by_status.keys() | others.keys())
    }


def _by_status(others: Mapping[ErrorCode, type[BaseModel]]) -> dict[int, type[BaseModel]]:
    return {ERRORS[code].status: shape for code, shape in others.items()}


def _error(
    codes: Sequence[ErrorCode], other: type[BaseModel] | None, access: Access
) -> dict[str, Any]:
    """A response of one status; `other` is what else has that status here."""
    shapes = ([ErrorBody] if codes else []) + ([other] if other else [])
    schemas = [reference(shape) for shape in shapes]
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if codes:
        content["examples"] = {code: {"$ref": f"#/components/examples/{code}"} for code in codes}
    names = [REQUEST_ID_HEADER, "retry-after"]
    if codes:
        names += [RETRY_HEADER, MESSAGE_HEADER]
    if any(ERRORS[code].type == "authentication" for code in codes):
        names.append(CHALLENGE_HEADER)
    sentences = [f"`{code}`: {ERRORS[code].meaning}" for code in codes]
    return {
        "description": " ".join(sentences) or "Not yet.",
        "headers": _headers(*names, *_limits(access)),
        "content": {"application/json": content},
    }


def example_of(code: ErrorCode) -> dict[str, Any]:
    """What a body with this code looks like."""
    body = Problem(code).body("req_0f3a5c7e9b1d2f4a6c8e0b1d")
    return {"summary": ERRORS[code].meaning, "value": body.model_dump(mode="json")}


def _limits(access: Access) -> tuple[str, ...]:
    """Headers with the limits of an inference key, where one is taken."""
    return (POLICY_HEADER, RATES_HEADER) if access.kind in ("task", "any_key") else ()


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
