"""The description of the API as people read it: groups of operations, fields, errors, samples."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pprint import pformat
from typing import Any

from llmaas_server.api.schemas import Schema
from llmaas_server.api.words import Piece, words_of

JSON = "application/json"
EVENTS = "text/event-stream"
WIDTH = 88
"""Characters of a line of a sample."""

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a shape, or a parameter."""

    name: str
    words: list[Piece]
    is_required: bool
    meaning: str
    place: str = ""
    """Of a parameter: `path`, `query` or `header`."""


@dataclass(frozen=True, slots=True)
class Shape:
    """A shape that others name."""

    name: str
    meaning: str
    fields: list[Field]
    words: list[Piece]
    """What it is where it has no fields."""


@dataclass(frozen=True, slots=True)
class Event:
    name: str | None
    words: list[Piece]


@dataclass(frozen=True, slots=True)
class Failure:
    status: str
    codes: list[tuple[str, str]]
    """Each with its meaning."""


@dataclass(frozen=True, slots=True)
class Sample:
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    needs: str
    parameters: list[Field]
    request: Shape | None
    answer: list[tuple[str, list[Piece]]]
    """Media type, and what it is."""
    events: list[Event]
    failures: list[Failure]
    samples: list[Sample]
    example: str | None
    """Of an answer."""
    stream: str | None
    """The events of one, as they are sent."""


@dataclass(frozen=True, slots=True)
class Group:
    name: str
    meaning: str
    operations: list[Operation]


@dataclass(frozen=True, slots=True)
class Manual:
    groups: list[Group]
    shapes: list[Shape]


def manual_of(document: Document) -> Manual:
    schemas: Mapping[str, Schema] = document["components"]["schemas"]
    shapes = {name: _shape(name, schema) for name, schema in schemas.items()}
    operations = list(_operations(document, shapes))
    groups = [
        Group(name, tag["description"], [one for of, one in operations if of == name])
        for tag in document["tags"]
        if (name := tag["name"])
    ]
    return Manual(groups, [*shapes.values()])


def _operations(document: Document, shapes: Mapping[str, Shape]) -> Iterator[tuple[str, Operation]]:
    """Each with the name of its group."""
    errors: Mapping[str, Schema] = document["components"]["examples"]
    for path, ways in document["paths"].items():
        for method, told in ways.items():
            yield told["tags"][0], _operation(method.upper(), path, told, shapes, errors)


def _operation(
    method: str,
    path: str,
    told: Schema,
    shapes: Mapping[str, Shape],
    errors: Mapping[str, Schema],
) -> Operation:
    """`errors` has an example for each code."""
    content = told["responses"]["200"]["content"]
    body = told.get("requestBody", {}).get("content", {}).get(JSON, {})
    answer = next(iter(content.values()))
    stream = content.get(EVENTS, {})
    return Operation(
        id=told["operationId"],
        method=method,
        path=path,
        summary=told["summary"],
        needs=told["description"],
        parameters=[_parameter(one) for one in told.get("parameters", ())],
        request=shapes[body["schema"]["$ref"].rpartition("/")[2]] if body else None,
        answer=[
            (media, words_of(one["schema"])) for media, one in content.items() if media != EVENTS
        ],
        events=[_event(one) for one in stream.get("schema", {}).get("oneOf", ())],
        failures=list(_failures(told["responses"], errors)),
        samples=list(_samples(method, path, told, body.get("example"))),
        example=_text(answer["example"]) if "example" in answer else None,
        stream=stream.get("examples", {}).get("stream", {}).get("value"),
    )


def _parameter(one: Schema) -> Field:
    required, meaning = one.get("required", False), one.get("description", "")
    return Field(one["name"], words_of(one["schema"]), required, meaning, one["in"])


def _event(schema: Schema) -> Event:
    fields = schema["properties"]
    data = fields["data"].get("contentSchema", fields["data"])
    return Event(fields.get("event", {}).get("const"), words_of(data))


def _failures(responses: Schema, errors: Mapping[str, Schema]) -> Iterator[Failure]:
    for status, response in responses.items():
        if status == "200":
            continue
        examples = response["content"][JSON].get("examples", {})
        codes = [(code, errors[code]["summary"]) for code in examples]
        yield Failure(status, codes or [("", response["description"])])


def _shape(name: str, schema: Schema) -> Shape:
    required = schema.get("required", ())
    fields = [
        Field(field, words_of(one), field in required, one.get("description", ""))
        for field, one in schema.get("properties", {}).items()
    ]
    words = [] if fields else words_of(schema)
    return Shape(name, " ".join(schema.get("description", "").split()), fields, words)


# --- samples ----------------------------------------------------------------------------------


def _samples(method: str, path: str, told: Schema, request: Any) -> Iterator[Sample]:
    path = re.sub(r"{(\w+)}", lambda name: name[1].upper(), path)  # curl has its own use of braces
    yield Sample("curl", _curl(method, path, told, request))
    yield Sample("Python", _with_client(path, request) or _with_httpx(method, path, told, request))


def _curl(method: str, path: str, told: Schema, request: Any) -> str:
    lines = [f'curl "$LLMAAS_BASE_URL{path}"']
    if method != "GET":
        lines[0] += f" -X {method}"
    if variable := _variable(told):
        lines.append(f'-H "Authorization: Bearer ${variable}"')
    if request is not None:
        lines.append("-H 'Content-Type: application/json'")
        lines.append(f"-d {shlex.quote(_text(request))}")
    return " \\\n  ".join(lines)


def _with_client(path: str, request: Any) -> str | None:
    """The client's own call, for a task."""
    task = path.removeprefix("/v1/tasks/")
    if request is None or task == path or "/" in task:
        return None
    first = "messages" if "messages" in request else "text"
    options = [f"{name}={value!r}" for name, value in request.items() if name != first]
    arguments = ", ".join([repr(request[first]), *options])
    return "\n".join(
        ("from llmaas_client import Client", "", f"print(Client().{task}({arguments}))")
    )


def _with_httpx(method: str, path: str, told: Schema, request: Any) -> str:
    lines = ["import os", "", "import httpx", ""]
    arguments = [repr(method), f'os.environ["LLMAAS_BASE_URL"] + "{path}"']
    if variable := _variable(told):
        lines.append(f'headers = {{"Authorization": "Bearer " + os.environ["{variable}"]}}')
        arguments.append("headers=headers")
    if request is not None:
        lines.append(f"body = {pformat(request, width=WIDTH, sort_dicts=False)}")
        arguments.append("json=body")
    lines.append(f"answer = httpx.request({', '.join(arguments)}, timeout=60)")
    return "\n".join([*lines, "print(answer.text)"])


def _variable(told: Schema) -> str | None:
    """Of the environment, with the key that it takes."""
    kinds = [name for one in told["security"] for name in one]
    if not kinds:
        return None
    return "LLMAAS_API_KEY" if "inference_key" in kinds else "LLMAAS_MANAGEMENT_KEY"


def _text(value: Any) -> str:
    """JSON on one line where that is short, and text as it is."""
    if isinstance(value, str):
        return value
    line = json.dumps(value, ensure_ascii=False)
    return line if len(line) <= WIDTH else json.dumps(value, indent=2, ensure_ascii=False)
