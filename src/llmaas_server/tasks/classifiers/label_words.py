"""What labels mean, in words that a similarity model can compare with a text."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from llmaas_client.wire.classify import ClassifyRequest

TEMPLATES = (
    "{}",
    "this is about {}.",
    "an article about {}",
    "i need help with {}",
    "i'd like to know {}",
    "how {}",
)
"""For a label of which nothing is known but its name: a topic, or what somebody wants."""

NAME_WEIGHT = 3.0
"""Of the bare name among the templates; each of the others counts once."""

SENSE_SHARE = 0.3
"""What the name adds where its sense is known."""

Phrases = tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class LabelWords:
    """Phrases and their weights. Their weighted mean stands for the label.

    `own` is what the caller wrote: what the request is charged for.
    """

    own: str
    phrases: Phrases
    sense: Phrases = ()
    """Shipped phrases of a common label; then `phrases` count for `SENSE_SHARE`."""


def words_of(request: ClassifyRequest) -> list[LabelWords]:
    """What stands for each label of the request.

    A template of the request, or a description, says it all. A bare name is put into templates,
    and where it is one of the common ones, into words for what it means.
    """
    labels = request.labels or []
    names = [name.strip() for name in labels]
    texts = [text.strip() for text in labels.values()] if isinstance(labels, dict) else names
    if request.hypothesis_template is not None:
        filled = [request.hypothesis_template.replace("{}", text) for text in texts]
        return [LabelWords(text, ((text, 1.0),)) for text in filled]
    if isinstance(labels, dict):
        return [LabelWords(text, ((text, 1.0),)) for text in texts]
    return [_of_name(name) for name in names]


def readable(name: str) -> str:
    """`AddToPlaylist`, `add_to_playlist` -> `Add To Playlist`, `add to playlist`."""
    if " " in name:
        return name
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).replace("_", " ").strip()
    return apart or name


def _of_name(name: str) -> LabelWords:
    plain = readable(name)
    phrases = tuple(
        (template.replace("{}", plain), NAME_WEIGHT if template == "{}" else 1.0)
        for template in TEMPLATES
    )
    return LabelWords(plain, phrases, senses().get(plain.lower(), ()))


@cache
def senses() -> Mapping[str, Phrases]:
    """Common label -> phrases."""
    content = tomllib.loads(_read("senses.toml"))
    return {
        name: tuple((phrase, 1.0) for phrase in sense["phrases"])
        for sense in content["sense"]
        for name in sense["names"]
    }


@cache
def background() -> tuple[str, ...]:
    """Sentences about everything and nothing."""
    lines = _read("background.txt").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
