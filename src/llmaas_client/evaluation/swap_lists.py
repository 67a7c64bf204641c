"""Lists of words that can take each other's place: those that come along, and one's own."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from os import PathLike
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from llmaas_client.errors import ConfigurationError

SHIPPED = Path(__file__).with_name("swaps.toml")
OWN = "own"


@dataclass(frozen=True, slots=True)
class Form:
    """A word, or a few of them."""

    text: str
    sought: bool = True
    """Whether it is looked for; others are written only."""


Slot = tuple[tuple[Form, ...], ...]
"""[identities, alternatives]: words of one meaning; the first alternative is written."""


@dataclass(frozen=True, slots=True)
class SwapGroup:
    """Identities that can take each other's place, and the words for them."""

    name: str
    identities: tuple[str, ...]
    forms: tuple[Slot, ...]
    adjectives: tuple[Slot, ...] = ()
    """Looked for before one of `before` only."""
    before: tuple[str, ...] = ()
    pronouns: tuple[tuple[str, Slot], ...] = ()
    """`object`, `possessive`, `alone`: the next word decides."""
    never: tuple[str, ...] = ()


def shipped() -> tuple[SwapGroup, ...]:
    """Gender, names, religion, nationality, ethnicity, orientation, gender identity, age."""
    return _shipped()


@cache
def _shipped() -> tuple[SwapGroup, ...]:
    return tuple(_groups(SHIPPED.read_text("utf-8"), SHIPPED.name))


def read_groups(path: str | PathLike[str]) -> tuple[SwapGroup, ...]:
    """Groups of a file in the format of swaps.toml. Raises ConfigurationError."""
    file = Path(path)
    try:
        text = file.read_text("utf-8")
    except OSError as error:
        raise ConfigurationError(f"cannot read {file}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{file.name} is not UTF-8 text") from None
    return tuple(_groups(text, file.name))


def pairs(swaps: Sequence[str]) -> SwapGroup:
    """A group of `he=she` and the like. Raises ConfigurationError."""
    slots: list[Slot] = []
    for swap in swaps:
        left, equals, right = (part.strip() for part in swap.partition("="))
        if not (equals and left and right) or left == right:
            raise ConfigurationError(
                f"{swap!r} is no swap", hint="Write two words with = between them: he=she."
            )
        slots.append((_cell(left), _cell(right)))
    names = [_name([slot[side][0].text for slot in slots]) for side in (0, 1)]
    return SwapGroup(OWN, (names[0], names[1]), tuple(slots))


def chosen(names: Iterable[str]) -> tuple[SwapGroup, ...]:
    """Some of the shipped groups. Raises ConfigurationError for a name that none has."""
    known = {group.name: group for group in shipped()}
    found: list[SwapGroup] = []
    for name in names:
        if name not in known:
            raise ConfigurationError(
                f"there is no group {name!r}", hint=f"There are {', '.join(known)}."
            )
        found.append(known[name])
    return tuple(found)


class _Spec(BaseModel):
    """A table of the file."""

    model_config = ConfigDict(extra="forbid", strict=True)

    identities: list[str] = Field(min_length=2)
    forms: list[list[str]] = []
    adjectives: list[list[str]] = []
    before: list[str] = []
    pronouns: dict[str, list[str]] = {}
    never: list[str] = []


def _groups(text: str, name: str) -> Iterable[SwapGroup]:
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{name} is not TOML: {error}") from None
    if not tables:
        raise ConfigurationError(f"{name} has no groups in it")
    for group, table in tables.items():
        try:
            spec = _Spec.model_validate(table)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in (group, *first["loc"]))
            raise ConfigurationError(f"{name}: {place}: {first['msg']}") from None
        yield _group(group, spec, name)


def _group(name: str, spec: _Spec, file: str) -> SwapGroup:
    def slots(rows: Iterable[list[str]]) -> tuple[Slot, ...]:
        return tuple(_slot(row) for row in rows)

    rows = [*spec.forms, *spec.adjectives, *spec.pronouns.values()]
    if not rows:
        raise ConfigurationError(f"{file}: {name} has no forms")
    if wrong := next((row for row in rows if len(row) != len(spec.identities)), None):
        raise ConfigurationError(
            f"{file}: {name}: {wrong} has {len(wrong)} cells, and there are "
            f"{len(spec.identities)} identities"
        )
    if spec.adjectives and not spec.before:
        raise ConfigurationError(f"{file}: {name}: adjectives need `before`")
    if unknown := set(spec.pronouns) - {"object", "possessive", "alone"}:
        raise ConfigurationError(f"{file}: {name}: pronouns are not {', '.join(sorted(unknown))}")
    return SwapGroup(
        name=name,
        identities=tuple(spec.identities),
        forms=slots(spec.forms),
        adjectives=slots(spec.adjectives),
        before=tuple(spec.before),
        pronouns=tuple((kind, _slot(row)) for kind, row in spec.pronouns.items()),
        never=tuple(spec.never),
    )


def _slot(row: Sequence[str]) -> Slot:
    return tuple(_cell(cell) for cell in row)


def _cell(cell: str) -> tuple[Form, ...]:
    """`actor|player` or `>actor`; nothing for an empty cell."""
    words = [word.strip() for word in cell.split("|") if word.strip()]
    return tuple(Form(word.lstrip(">").strip(), not word.startswith(">")) for word in words)


def _name(words: Sequence[str]) -> str:
    return "/".join(words[:3]) + ("/…" if len(words) > 3 else "")
