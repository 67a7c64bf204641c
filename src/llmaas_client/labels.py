"""Labels as people have them in code: a list, a mapping, an Enum class, a Literal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import Enum, EnumType
from typing import TYPE_CHECKING, Any, Literal, TypeAlias, get_args, get_origin

if TYPE_CHECKING:
    from types import UnionType
    from typing import _SpecialForm  # pyright: ignore[reportPrivateUsage]

    # What type checkers take `Literal["a", "b"]` for where it is used as a value.
    LiteralForm: TypeAlias = UnionType | _SpecialForm
    Labels: TypeAlias = Sequence[str] | Mapping[str, str] | type[Enum] | LiteralForm


def to_wire(labels: Labels) -> Any:
    """Names, or names with descriptions, as the wire has them; it is checked there.

    An Enum gives its values where they are strings and its names elsewhere, so that
    `Mood(result.label)` or `Mood[result.label]` leads back.
    """
    if get_origin(labels) is Literal:
        return list(get_args(labels))
    if isinstance(labels, EnumType):
        members = list(labels)
        if all(isinstance(member.value, str) for member in members):
            return [member.value for member in members]
        return [member.name for member in members]
    if isinstance(labels, Mapping):
        return dict(labels)
    if isinstance(labels, str) or not isinstance(labels, Sequence):
        return labels  # the wire says what is wrong with it
    return [str(label) if isinstance(label, Enum) else label for label in labels]
