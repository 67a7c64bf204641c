"""TypedDicts of `typing`, which pydantic reads from Python 3.12 on, for Pythons before that."""

from __future__ import annotations

import sys
import types
import typing
from typing import Annotated, Any, Union, get_args, get_origin, get_type_hints

import typing_extensions


def readable(type_: Any) -> Any:
    """The same type, in which pydantic can read every TypedDict."""
    return type_ if sys.version_info >= (3, 12) else _readable(type_, ())


def _readable(type_: Any, around: tuple[Any, ...]) -> Any:
    if typing.is_typeddict(type_) and type(type_).__module__ == "typing":
        return type_ if type_ in around else _copy(type_, (*around, type_))
    arguments = get_args(type_)
    changed = tuple(_readable(one, around) for one in arguments)
    if all(new is old for new, old in zip(changed, arguments, strict=True)):
        return type_
    origin = get_origin(type_)
    if origin is Annotated:
        return Annotated[changed]
    if origin is Union or origin is types.UnionType:
        union: Any = Union
        return union[changed]
    return origin[changed] if origin is not None else type_


def _copy(type_: Any, around: tuple[Any, ...]) -> Any:
    """A TypedDict of the same keys."""
    hints = get_type_hints(type_, include_extras=True)
    fields = {
        name: typing_extensions.Required[_readable(hint, around)]
        if name in type_.__required_keys__
        else typing_extensions.NotRequired[_readable(hint, around)]
        for name, hint in hints.items()
    }
    make: Any = typing_extensions.TypedDict
    copy = make(type_.__name__, fields)
    copy.__doc__ = type_.__doc__
    copy.__module__ = type_.__module__
    return copy
