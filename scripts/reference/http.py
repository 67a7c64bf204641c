"""docs/reference/api.md, from the description that a server gives of itself."""

from __future__ import annotations

import asyncio
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from starlette.requests import Request
from starlette.routing import Route

from llmaas_client.wire.errors import ERRORS
from llmaas_server.api import openapi
from llmaas_server.api.schemas import Schema
from llmaas_server.app import create_app
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings

from .markdown import table
from .schema import kind


def lines() -> Iterator[str]:
    document = asyncio.run(description())
    schemas: dict[str, Schema] = document["components"]["schemas"]
    yield "# HTTP"
    yield ""
    yield "JSON in, JSON out. A running server has this as OpenAPI 3.1 under `/openapi.json`, and"
    yield "the JSON schema of each task under `/v1/tasks`. Unknown fields in a request are errors;"
    yield "results may gain fields. Where a key is needed, send `Authorization: Bearer KEY`."
    yield ""
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    rows = [
        (f"`{method} {path}`", one["summary"], "" if one.get("security") == [] else "yes")
        for method, path, one in operations
    ]
    yield from table(["address", "what for", "key"], rows)
    for method, path, operation in operations:
        yield from operation_section(method, path, operation)
    yield "## Shapes"
    yield ""
    for name, schema in sorted(schemas.items()):
        yield f"### {name}"
        yield ""
        yield from schema_section(schema)


async def description() -> Schema:
    """The OpenAPI document that a server gives of itself, without a server."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        settings = Settings(backend="fake", home=home, cache=home, registration="open")
        services = Services.open(settings)
        try:
            app = create_app(settings, services)
        finally:
            services.release()
    route = next(one for one in app.routes if isinstance(one, Route) and one.path == openapi.PATH)
    response = await route.endpoint(Request({"type": "http"}))
    document: Schema = json.loads(response.body)
    return document


def operation_section(method: str, path: str, operation: Schema) -> Iterator[str]:
    yield f"## {method} {path}"
    yield ""
    summary: str = operation["summary"]
    yield summary if summary.endswith("?") else f"{summary}."
    yield ""
    yield operation["description"]
    yield ""
    for parameter in operation.get("parameters", ()):
        if parameter["in"] != "path":
            name = f"?{parameter['name']}=" if parameter["in"] == "query" else parameter["name"]
            yield f"- `{name}`: {kind(parameter['schema'])}. {parameter['description']}"
    if body := operation.get("requestBody"):
        yield f"- request: {kind(body['content']['application/json']['schema'])}"
    content = operation["responses"]["200"]["content"]
    if "application/json" in content:
        yield f"- result: {kind(content['application/json']['schema'])}"
    for name in sorted(content.keys() - {"application/json", "text/event-stream"}):
        yield f"- result: `{name}`"
    if stream := content.get("text/event-stream"):
        yield f"- with `stream`, events: {', '.join(map(event, stream['schema']['oneOf']))}"
    failures = {
        status: codes_in(answer["description"])
        for status, answer in operation["responses"].items()
        if status != "200"
    }
    yield f"- errors: {'; '.join(f'{status} {codes}' for status, codes in failures.items())}"
    yield ""


def event(schema: Schema) -> str:
    """`delta` with what its data are."""
    fields = schema["properties"]
    data = kind(fields["data"].get("contentSchema", fields["data"]))
    return f"`{fields['event']['const']}` {data}" if "event" in fields else data


def codes_in(description: str) -> str:
    return ", ".join(f"`{code}`" for code in ERRORS if f"`{code}`" in description)


def schema_section(schema: Schema) -> Iterator[str]:
    if text := schema.get("description"):
        yield " ".join(text.split())
        yield ""
    required = set(schema.get("required", ()))
    rows = [
        (f"`{name}`", kind(one), "yes" if name in required else "", one.get("description", ""))
        for name, one in schema.get("properties", {}).items()
    ]
    if not rows and schema.get("items"):
        yield f"A {kind(schema)}."
        yield ""
    if rows:
        yield from table(["field", "type", "required", "meaning"], rows)
