"""docs/reference/settings.md, from the fields of Settings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import get_args

from pydantic import ByteSize
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from llmaas_server.api.schemas import Schema
from llmaas_server.settings import ENV_PREFIX, Settings

from .schema import kind


def lines() -> Iterator[str]:
    yield "# Settings"
    yield ""
    yield "How they are read, and where the file lies: [Configuration](../how-to/configuration.md)."
    yield ""
    properties = Settings.model_json_schema()["properties"]
    for name, field in Settings.model_fields.items():
        yield f"## {name}"
        yield ""
        yield field.description or ""
        yield ""
        yield f"- default: {default_of(field)}"
        yield f"- type: {type_of(field, properties[name])}"
        yield f"- environment: `{ENV_PREFIX}{name.upper()}`"
        yield ""


def default_of(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return "see above"
    if isinstance(field.default, ByteSize):
        return f"`{field.default.human_readable()}`"
    return "none" if field.default is None else f"`{json.dumps(field.default)}`"


def type_of(field: FieldInfo, schema: Schema) -> str:
    if ByteSize in (field.annotation, *get_args(field.annotation)):
        return "bytes, or a text such as `512MiB`"
    branches = [one for one in schema.get("anyOf", [schema]) if one.get("type") != "null"]
    return " or ".join(kind({**one, "default": None}) for one in branches)
