"""The description of the API: OpenAPI 3.1, made from the endpoints and the wire models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode
from llmaas_client.wire.events import Delta, Progress, Start
from llmaas_server.gateway.access import ANY_KEY

from .endpoint import Endpoint

PATH = "/openapi.json"

EVERYWHERE: tuple[ErrorCode, ...] = (
    "malformed_request",
    "not_allowed",
    "request_timeout",
    "rate_limited",
    "headers_too_large",
    "internal_error",
)
"""How requests to any address may go wrong."""

_REF = "#/components/schemas/{model}"
_EVENTS: dict[str, type[BaseModel]] = {
    "start": Start,
    "delta": Delta,
    "progress": Progress,
    "error": ErrorBody,
}


def describe(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The whole document."""
    models: set[type[BaseModel]] = {ErrorBody, *_EVENTS.values()}
    models |= {model for one in endpoints for model in (one.body, one.answer) if model}
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.described_path, {})[endpoint.method.lower()] = _operation(
            endpoint
        )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "llmaas",
            "version": version,
            "description": "Language models as a service on your own machine.",
        },
        "paths": paths,
        "components": {
            "schemas": _schemas(models),
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"key": []}],
    }


def endpoint(others: Sequence[Endpoint], version: str) -> Endpoint:
    """The endpoint that serves the description of all endpoints, itself among them."""

    async def answer(request: Request) -> Response:
        return Response(body, media_type="application/json")

    this = Endpoint("GET", PATH, "This description", answer, ANY_KEY, answer=None)
    body = json.dumps(describe([*others, this], version), ensure_ascii=False)
    return this


def _schemas(models: Iterable[type[BaseModel]]) -> dict[str, Any]:
    schemas: dict[str, Any] = {}
    for model in sorted(models, key=lambda one: one.__name__):
        schema = model.model_json_schema(ref_template=_REF)
        for name, one in {**schema.pop("$defs", {}), model.__name__: schema}.items():
            if schemas.setdefault(name, one) != one:
                raise TypeError(f"there are two shapes of the name {name}")
    return schemas


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "description": str(endpoint.access),
        "responses": {"200": _answer(endpoint), **_errors(endpoint)},
    }
    if endpoint.body is not None:
        content = {"application/json": {"schema": _reference(endpoint.body)}}
        operation["requestBody"] = {"required": True, "content": content}
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    if endpoint.access.is_public:
        operation["security"] = []
    return operation


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    text: dict[str, Any] = {"type": "string"}
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": text}
        for name in re.findall(r"{(\w+)}", endpoint.described_path)
    ]
    in_query = [
        {
            "name": one.name,
            "in": "query",
            "description": one.meaning,
            "schema": {"type": "array", "items": text} if one.many else text,
        }
        for one in endpoint.query
    ]
    return [*in_path, *in_query]


def _answer(endpoint: Endpoint) -> dict[str, Any]:
    content: dict[str, Any] = {one: {"schema": {"type": "string"}} for one in endpoint.texts}
    if endpoint.answer or not content:
        schema = _reference(endpoint.answer) if endpoint.answer else {"type": "object"}
        content["application/json"] = {"schema": schema}
    if not endpoint.streams or endpoint.answer is None:
        return {"description": "The result.", "content": content}
    events = {**_EVENTS, "done": endpoint.answer}
    named = ", ".join(f"`{name}`: {model.__name__}" for name, model in events.items())
    content["text/event-stream"] = {
        "schema": {
            "type": "object",
            "description": f"Server-sent events; `data` is JSON. {named}.",
            "properties": {"event": {"enum": list(events)}, "data": {"type": "string"}},
            "required": ["event", "data"],
        }
    }
    return {"description": "The result; with `stream`, its events.", "content": content}


def _errors(endpoint: Endpoint) -> dict[str, Any]:
    """One response for each status, naming the codes that it stands for."""
    codes: list[ErrorCode] = [*endpoint.errors, *EVERYWHERE]
    if not endpoint.access.is_public:
        codes += ["missing_key", "invalid_key"]
    by_status: dict[str, list[ErrorCode]] = {}
    for code in dict.fromkeys(codes):
        status = ERRORS[code].status
        by_status.setdefault(str(endpoint.statuses.get(status, status)), []).append(code)
    return {
        status: {
            "description": _sentences(names),
            "content": {"application/json": {"schema": _reference(ErrorBody)}},
        }
        for status, names in sorted(by_status.items())
    }


def _sentences(codes: Iterable[ErrorCode]) -> str:
    return " ".join(f"`{code}`: {ERRORS[code].meaning}" for code in codes)


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": _REF.format(model=model.__name__)}
