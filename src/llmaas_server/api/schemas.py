"""JSON schema of the shapes on the wire, with what their files say about each field."""

from __future__ import annotations

import ast
import inspect
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"


def schema_of(model: type[BaseModel]) -> Schema:
    """The schema of one shape, with those that it needs under `$defs`."""
    return model.model_json_schema(schema_generator=Described)


def components(models: Iterable[type[BaseModel]]) -> dict[str, Schema]:
    """Name -> schema, of these shapes and of those that they need."""
    wanted = sorted(models, key=lambda one: one.__name__)
    _, found = models_json_schema(
        [(model, "validation") for model in wanted],
        schema_generator=Described,
        ref_template=REFERENCE,
    )
    schemas: dict[str, Schema] = found["$defs"]
    return dict(sorted(schemas.items()))


def reference(model: type[BaseModel]) -> Schema:
    return {"$ref": REFERENCE.format(model=model.__name__)}


def only(*values: Any) -> Schema:
    """Of a field that takes these values and null, and no other.

    Each value has a branch of its own: generators of clients give up an enum of several kinds.
    """
    return {"anyOf": [*(_constant(value) for value in values), {"type": "null"}]}


def _constant(value: Any) -> Schema:
    """Lists and objects by their limits: generators read no constants of these kinds."""
    if isinstance(value, list):
        items = {"const": value[0]} if value else {}
        return {"type": "array", "items": items, "minItems": len(value), "maxItems": len(value)}
    if value == {}:
        return {"type": "object", "maxProperties": 0}
    return {"const": value}


class Described(GenerateJsonSchema):
    """Docstrings below fields are their descriptions; titles that repeat names are left out."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        described = super().model_schema(schema)
        for name, text in _field_docs(schema["cls"]).items():
            field = described.get("properties", {}).get(name)
            if field is not None:
                field.setdefault("description", text)
        return described


def _field_docs(model: type[Any]) -> dict[str, str]:
    """Name on the wire -> docstring, of the class and of those that it comes from."""
    told: dict[str, str] = {}
    for base in reversed(model.__mro__):
        told |= _classes_of(base.__module__).get(base.__qualname__, {})
    fields: dict[str, Any] = getattr(model, "model_fields", {})
    return {field.alias or name: told[name] for name, field in fields.items() if name in told}


@cache
def _classes_of(module: str) -> dict[str, dict[str, str]]:
    """Name of a class -> what stands below its fields. Empty for what has no source."""
    if not module.startswith("llmaas_"):
        return {}
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {one.name: dict(_docs_in(one)) for one in tree.body if isinstance(one, ast.ClassDef)}


def _docs_in(definition: ast.ClassDef) -> Iterator[tuple[str, str]]:
    for field, below in pairwise(definition.body):
        if not (isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)):
            continue
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant):
            text = below.value.value
            if isinstance(text, str):
                yield field.target.id, " ".join(text.split())
