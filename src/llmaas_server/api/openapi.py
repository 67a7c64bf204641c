"""The description of the API: OpenAPI 3.1, made from the endpoints and the wire models."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire import REQUEST_ID_HEADER
from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode
from llmaas_server.errors import Problem
from llmaas_server.gateway.access import ANY_KEY, Access

from .endpoint import Endpoint, EventShape, Parameter
from .examples import Example, examples
from .schemas import Schema, components, reference
from .tags import TAGS, tag_of

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

KEYS = {
    "inference_key": "Runs tasks. The names behind it are the tasks that it must be for.",
    "management_key": "Manages. The names behind it are the actions that it must be for.",
}

_HEADERS: dict[str, Schema] = {
    REQUEST_ID_HEADER: {
        "description": "The name of the request, in logs and in the ledger.",
        "schema": {"type": "string"},
    },
    "retry-after": {
        "description": "Seconds until it is worth another try; where that is known.",
        "schema": {"type": "integer", "minimum": 0},
    },
}


class Description:
    """The document of one server, made when somebody asks: it takes a moment."""

    def __init__(self, endpoints: Sequence[Endpoint], version: str) -> None:
        self._endpoints = endpoints
        self._version = version

    async def read(self) -> dict[str, Any]:
        return await asyncio.to_thread(lambda: self._document)

    async def read_json(self) -> str:
        return await asyncio.to_thread(lambda: self._json)

    @cached_property
    def _document(self) -> dict[str, Any]:
        return describe(self._endpoints, self._version)

    @cached_property
    def _json(self) -> str:
        return json.dumps(self._document, ensure_ascii=False)


def described(others: Sequence[Endpoint], version: str) -> tuple[Endpoint, Description]:
    """The endpoint that serves the description of all endpoints, itself among them."""

    async def answer(request: Request) -> Response:
        return Response(await description.read_json(), media_type="application/json")

    this = Endpoint("GET", PATH, "This description", answer, ANY_KEY, answer=None)
    description = Description([*others, this], version)
    return this, description


def describe(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """The whole document."""
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        operation = _operation(endpoint, examples().get(endpoint.name, Example()))
        paths.setdefault(endpoint.described_path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "llmaas",
            "version": version,
            "summary": "Language models as a service on your own machine.",
            "description": "JSON in, JSON out. Unknown fields in a request are errors; answers may "
            "gain fields. Every error has a code, a hint and the name of the request.",
            "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "The server that this document comes from."}],
        "tags": [{"name": tag.name, "description": tag.meaning} for tag in TAGS],
        "paths": paths,
        "components": {
            "schemas": components(_shapes(endpoints)),
            "headers": _HEADERS,
            "securitySchemes": {
                name: {"type": "http", "scheme": "bearer", "description": meaning}
                for name, meaning in KEYS.items()
            },
        },
    }


def _shapes(endpoints: Iterable[Endpoint]) -> set[type[BaseModel]]:
    shapes: set[type[BaseModel]] = {ErrorBody}
    for one in endpoints:
        shapes |= {shape for shape in (one.body, one.answer, *one.others.values()) if shape}
        shapes |= {event.data for event in one.events if not isinstance(event.data, str)}
    return shapes


def _operation(endpoint: Endpoint, example: Example) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "tags": [tag_of(endpoint.described_path)],
        "summary": endpoint.summary,
        "description": str(endpoint.access),
        "security": _security(endpoint.access),
        "responses": {"200": _answer(endpoint, example), **_errors(endpoint)},
    }
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": reference(endpoint.body)}
        if example.request is not None:
            content["example"] = example.request
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if parameters := _parameters(endpoint):
        operation["parameters"] = parameters
    return operation


def _security(access: Access) -> list[dict[str, list[str]]]:
    match access.kind:
        case "public":
            return []
        case "any_key":
            return [{name: []} for name in KEYS]
        case "task":
            return [{"inference_key": [access.name]}]
        case "management":
            return [{"management_key": [access.name]}]


def _parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    in_path = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}
        for name in re.findall(r"{(\w+)}", endpoint.described_path)
    ]
    in_query = [_parameter(one, "query") for one in endpoint.query]
    in_header = [_parameter(one, "header") for one in endpoint.headers]
    return [*in_path, *in_query, *in_header]


def _parameter(one: Parameter, place: str) -> dict[str, Any]:
    told: Schema = {
        "name": one.name,
        "in": place,
        "description": one.meaning,
        "schema": dict(one.schema),
    }
    if one.schema.get("type") == "array":
        told |= {"style": "form", "explode": False}
    return told


def _answer(endpoint: Endpoint, example: Example) -> dict[str, Any]:
    content: dict[str, Any] = {one: {"schema": {"type": "string"}} for one in endpoint.texts}
    if endpoint.answer or not content:
        schema = reference(endpoint.answer) if endpoint.answer else {"type": "object"}
        content = {"application/json": {"schema": schema}, **content}
    if example.answer is not None:
        next(iter(content.values()))["example"] = example.answer
    told = {"description": "The result.", "headers": _headers(REQUEST_ID_HEADER)}
    if endpoint.events:
        content["text/event-stream"] = {"schema": _stream(endpoint.events)}
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


def _errors(endpoint: Endpoint) -> dict[str, Any]:
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
        str(status): _error(by_status.get(status, ()), others.get(status))
        for status in sorted(by_status.keys() | others.keys())
    }


def _by_status(others: Mapping[ErrorCode, type[BaseModel]]) -> dict[int, type[BaseModel]]:
    return {ERRORS[code].status: shape for code, shape in others.items()}


def _error(codes: Sequence[ErrorCode], other: type[BaseModel] | None) -> dict[str, Any]:
    """A response of one status; `other` is what else has that status here."""
    shapes = ([ErrorBody] if codes else []) + ([other] if other else [])
    schemas = [reference(shape) for shape in shapes]
    content: dict[str, Any] = {"schema": schemas[0] if len(schemas) == 1 else {"anyOf": schemas}}
    if codes:
        content["examples"] = {code: _example_of(code) for code in codes}
    sentences = [f"`{code}`: {ERRORS[code].meaning}" for code in codes]
    return {
        "description": " ".join(sentences) or "Not yet.",
        "headers": _headers(REQUEST_ID_HEADER, "retry-after"),
        "content": {"application/json": content},
    }


def _example_of(code: ErrorCode) -> dict[str, Any]:
    body = Problem(code).body("req_0f3a5c7e9b1d2f4a6c8e0b1d")
    return {"summary": ERRORS[code].meaning, "value": body.model_dump(mode="json")}


def _headers(*names: str) -> dict[str, Any]:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}
