"""Arguments that a client fills in where a call leaves them out."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .wire.base import Request

_INSTEAD = {"labels": "classifier", "classifier": "labels"}
"""Where a request has the one, the default of the other is left out."""
_OF_INPUTS = frozenset({"text", "messages", "stream"})


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """As the wire has them. Raises TypeError for a name that no task knows."""
    from .labels import to_wire
    from .tasks.fields import given
    from .wire import TASKS

    known = {name for spec in TASKS.values() for name in spec.request.model_fields} - _OF_INPUTS
    for name in fields:
        if name not in known:
            near = get_close_matches(name, known, 1)
            also = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"no task has an argument {name!r}{also}")
    values = given(fields)
    if "labels" in values:
        values["labels"] = to_wire(values["labels"])
    return values


def fill(request: Request, defaults: Mapping[str, Any]) -> Request:
    """The request with what it leaves out, where its task has that. Raises ValidationError."""
    from .wire.base import TaskRequest

    if not defaults or not isinstance(request, TaskRequest):
        return request
    said = request.model_fields_set
    kind = type(request)
    new = {
        name: value
        for name, value in defaults.items()
        if name in kind.model_fields and name not in said and _INSTEAD.get(name) not in said
    }
    if not new:
        return request
    own = request.model_dump(exclude_unset=True, by_alias=True)
    return kind.model_validate(own | new)
