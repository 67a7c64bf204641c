"""docs/reference/python.md, from the classes of the client and their docstrings."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import llmaas_client
from llmaas_client.wire import TASKS
from llmaas_client.wire.base import WireModel

from .docstrings import markdown
from .markdown import table

DOORS = ("Client", "AsyncClient", "Stream", "AsyncStream", "Session", "AsyncSession")
"""Classes that people call methods of."""
CALLED = ("classify", "summarize", "chat", "embed", "classifiers", "price", "models", "tasks")
"""What a client has, and what is called or has methods."""
OWN_METHODS = ("__call__",)
IN_WORDS = {"Many": "MapResult", "Each": "Generator[MapItem]"}
"""Type variables of doors, as what they are for a `Client`."""


def lines() -> Iterator[str]:
    yield "# The Python client"
    yield ""
    yield "Everything public of `llmaas_client`, from its docstrings. How to use it is in"
    yield "[The Python client](../how-to/client.md). An `AsyncClient` has what a `Client` has, to"
    yield "be awaited. The codes of exceptions are in [Errors](errors.md)."
    yield ""
    for name in DOORS:
        yield from _class(name, getattr(llmaas_client, name))
    yield from _tasks()
    yield "## Results and other values"
    yield ""
    for name in sorted(_values()):
        yield from _value(name, getattr(llmaas_client, name))
    yield from _exceptions()


def _exceptions() -> Iterator[str]:
    yield "## Exceptions"
    yield ""
    rows = [
        (f"`{name}`", f"`{one.__bases__[0].__name__}`", _sentence(one.__doc__))
        for name, one in _public()
        if issubclass(one, BaseException)
    ]
    yield from table(["exception", "is a", "what it means"], rows)


def _sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())


def _tasks() -> Iterator[str]:
    client = llmaas_client.Client("http://127.0.0.1:1", "none")
    for name in CALLED:
        door = getattr(client, name)
        yield f"## client.{name}"
        yield ""
        if inspect.isroutine(door):
            yield from _method(f"client.{name}", door)
            continue
        yield from markdown(type(door).__doc__)
        for method, function in _methods(type(door)):
            if method == "__call__":
                yield from _signature(f"client.{name}", function, _result_of(name))
                yield from markdown(function.__doc__)
            else:
                yield from _method(f"client.{name}.{method}", function)


def _result_of(name: str) -> str | None:
    return TASKS[name].result.__name__ if name in TASKS else None


def _class(name: str, one: type[Any]) -> Iterator[str]:
    yield f"## {name}"
    yield ""
    yield from _signature(name, one.__init__)
    yield from markdown(one.__doc__)
    for method, function in _methods(one):
        if method not in OWN_METHODS:
            yield from _method(f"{name}.{method}", function)


def _methods(one: type[Any]) -> Iterator[tuple[str, Any]]:
    """The public methods in the order of their definition, those of base classes after them."""
    seen = set()
    for base in one.__mro__:
        if not base.__module__.startswith("llmaas_client"):
            continue
        for name, value in vars(base).items():
            function = inspect.unwrap(getattr(value, "__func__", value))
            public = name in OWN_METHODS or not name.startswith("_")
            if public and name not in seen and inspect.isfunction(function):
                seen.add(name)
                yield name, function


def _method(title: str, function: Any) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield from _signature(title, function)
    yield from markdown(function.__doc__)


def _signature(title: str, function: Any, result: str | None = None) -> Iterator[str]:
    signature = inspect.signature(function)
    given = [one for one in signature.parameters.values() if one.name not in ("self", "cls")]
    parts = [_parameter(one) for one in given]
    named = [one.kind is one.KEYWORD_ONLY for one in given]
    if any(named) and not any(one.kind is one.VAR_POSITIONAL for one in given):
        parts.insert(named.index(True), "*")
    returned = result or IN_WORDS.get(signature.return_annotation, signature.return_annotation)
    arrow = f" -> {returned}" if returned not in (signature.empty, "None", None) else ""
    whole = f"{title}({', '.join(parts)}){arrow}"
    yield "```py"
    if len(whole) <= 96:
        yield whole
    else:
        yield f"{title}("
        yield from (f"    {part}," for part in parts)
        yield f"){arrow}"
    yield "```"
    yield ""


def _parameter(one: inspect.Parameter) -> str:
    text = str(one).partition(":")[0].partition("=")[0].strip()  # with its stars
    if one.annotation is not one.empty:
        text += f": {one.annotation}"
    if one.default is not one.empty:
        text += f" = {_default(one.default)}"
    return text


def _default(value: Any) -> str:
    plain = value is None or isinstance(value, str | int | float | bool | tuple)
    return repr(value) if plain else "…"


def _values() -> Iterator[str]:
    for name, one in _public():
        if not issubclass(one, BaseException) and name not in DOORS:
            yield name


def _public() -> Iterator[tuple[str, type[Any]]]:
    for name in llmaas_client.__all__:
        one = getattr(llmaas_client, name)
        if isinstance(one, type):
            yield name, one


def _value(name: str, one: type[Any]) -> Iterator[str]:
    yield f"### {name}"
    yield ""
    yield from markdown(one.__doc__ if "__doc__" in vars(one) else None)
    told = _told(one)
    fields = one.model_fields if issubclass(one, WireModel) else {}
    for field, info in fields.items():
        annotation = _annotation(one, field)
        said = " ".join((info.description or told.get(field, "")).split())
        yield f"- `{field}: {annotation}`" + (f": {said}" if said else "")
    for attribute, value in vars(one).items():
        if isinstance(value, property) and not attribute.startswith("_") and value.fget:
            text = _sentence(value.fget.__doc__)
            yield f"- `{attribute}`" + (f": {text}" if text else "")
    yield ""


def _annotation(one: type[Any], field: str) -> str:
    """As it is written in the class that defines the field."""
    for base in one.__mro__:
        found = vars(base).get("__annotations__", {}).get(field)
        if found is not None:
            return str(found)
    return "Any"


def _told(one: type[Any]) -> dict[str, str]:
    """Field -> the text below it, of the class and of those that it comes from."""
    found: dict[str, str] = {}
    for base in reversed(one.__mro__):
        if not base.__module__.startswith("llmaas_client"):
            continue
        (tree,) = ast.parse(textwrap.dedent(inspect.getsource(base))).body
        body = tree.body if isinstance(tree, ast.ClassDef) else []
        for field, text in pairwise(body):
            match field, text:
                case (
                    ast.AnnAssign(target=ast.Name(id=name)),
                    ast.Expr(value=ast.Constant(value=str(said))),
                ):
                    found[name] = said
    return found
