"""Whether the models of a call can read what they are given; results say where they cannot."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel

from llmaas_client.wire.base import ResultWarning
from llmaas_server.models import catalogue
from llmaas_server.runtime.interface import Model

CODE = "unread_text"
MOSTLY = 0.5
"""A text is worth a warning where more than this share of its tokens is unread."""

SAMPLED = 1024
"""Most characters of a text that are looked at: of a longer one as many, spread over it."""
SLICES = 4

NAMED = 3
"""Most models that a warning names."""

READ = frozenset(
    (
        "content", "descriptions", "documents", "examples", "focus", "labels", "messages",
        "out_of_scope", "question", "questions", "statement", "text",
    )
)  # fmt: skip
"""Fields of requests with words in them, at any depth."""


def warnings_of(request: BaseModel, models: Sequence[Model]) -> list[dict[str, Any]]:
    """A warning for each model that cannot read some of the texts of the request."""
    texts = [(where, _sample(text)) for where, text in texts_of(request)]
    found = (_warning(texts, model) for model in models)
    return [warning.model_dump() for warning in found if warning is not None]


def texts_of(value: Any, where: str = "") -> Iterator[tuple[str, str]]:
    """Every text of the request that a model is to read, and where it is: `messages[0].content`.

    What a model has said itself is none of them.
    """
    match value:
        case str() if value.strip():
            yield where, value
        case list() | tuple():
            for index, item in enumerate(value):
                yield from texts_of(item, f"{where}[{index}]")
        case dict():
            for name, item in value.items():
                yield from texts_of(name, where)
                yield from texts_of(item, f"{where}[{name!r}]")
        case BaseModel() if getattr(value, "role", None) != "assistant":
            for name in type(value).model_fields:
                if name in READ:
                    yield from texts_of(getattr(value, name), f"{where}.{name}".lstrip("."))


def _sample(text: str) -> str:
    if len(text) <= SAMPLED:
        return text
    length, step = SAMPLED // SLICES, (len(text) - SAMPLED // SLICES) // (SLICES - 1)
    return "\n".join(text[start * step : start * step + length] for start in range(SLICES))


def _warning(texts: Sequence[tuple[str, str]], model: Model) -> ResultWarning | None:
    tokens = unread = 0
    places: list[str] = []
    for where, text in texts:
        reading = model.tokenizer.read(text)
        if reading.unread > MOSTLY * reading.tokens:
            places.append(where)
            tokens += reading.tokens
            unread += reading.unread
    if not places:
        return None
    what = places[0]
    if places[1:]:
        what = f"{len(places)} of {len(texts)} texts, the first of them {what}"
    message = (
        f"{model.ref.name} cannot read {what}: {unread / tokens:.0%} of the tokens are unknown, "
        "parts of characters, or letters of a script that its vocabulary hardly has. "
        f"The result is worth little. {_remedy(model)}"
    )
    return ResultWarning(code=CODE, message=message)


def _remedy(model: Model) -> str:
    """Models of the catalogue for many languages: of the same kind, or else those that chat."""
    entries = catalogue.load().multilingual
    kinds = {entry.kind for entry in entries}
    kind = model.ref.kind if model.ref.kind in kinds else "decoder"
    names = [entry.name for entry in entries if entry.kind == kind][:NAMED]
    return f"For many languages: {', '.join(names)} (`llmaas models pull {names[0]}`)."
