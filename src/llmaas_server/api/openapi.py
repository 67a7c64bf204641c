"""The description of the API: OpenAPI 3.1, made from the endpoints and the wire models."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from llmaas_client.wire.errors import ERRORS, ErrorBody
from llmaas_server.gateway.access import ANY_KEY, Access

from .endpoint import Endpoint, Parameter
from .examples import Example, examples
from .responses import HEADERS, answer_of, errors_of, example_of
from .schemas import Schema, components, reference
from .tags import TAGS, meaning_of, tag_of

PATH = "/openapi.json"

KEYS = {
    "inference_key": "Runs tasks. The names behind it are the tasks that it must be for.",
    "management_key": "Manages. The names behind it are the actions that it must be for.",
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
            "headers": HEADERS,
            "examples": {code: example_of(code) for code in ERRORS},
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
        "responses": {"200": answer_of(endpoint, example), **errors_of(endpoint)},
    }
    if endpoint.body is not None:
        content: dict[str, Any] = {"schema": reference(endpoint.body)}
        if example.request is not None:
            content["example"] = example.request
        operation["requestBody"] = {"required": True, "content": {"application/json": content}}
    if parameters := _parameters(endpoint, example):
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


def _parameters(endpoint: Endpoint, example: Example) -> list[dict[str, Any]]:
    path = endpoint.described_path
    in_path = [
        {
            **_parameter(Parameter(name, meaning_of(path), _NAME), "path", example.path.get(name)),
            "required": True,
        }
        for name in re.findall(r"{(\w+)}", path)
    ]
    in_query = [_parameter(one, "query", example.query.get(one.name)) for one in endpoint.query]
    in_header = [_parameter(one, "header") for one in endpoint.headers]
    return [*in_path, *in_query, *in_header]


def _parameter(one: Parameter, place: str, example: str | None = None) -> dict[str, Any]:
    told: Schema = {
        "name": one.name,
        "in": place,
        "description": one.meaning,
        "schema": dict(one.schema),
    }
    kind = one.schema.get("type")
    if kind == "array":
        told |= {"style": "form", "explode": False}
    if example is not None:
        told["example"] = _READ.get(kind, str)(example)
    return told


_NAME: Schema = {"type": "string", "minLength": 1}
_READ: Mapping[Any, Callable[[str], Any]] = {"array": lambda text: text.split(","), "integer": int}
"""Type of a parameter -> its value, from what stands behind the `?`."""
