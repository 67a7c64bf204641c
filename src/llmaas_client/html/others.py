"""Vectors, maps and clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .footer import footer
from .frame import HTML, brief, frame, quiet, table, tag, text

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapResult
    from llmaas_client.wire.embed import EmbedResult
    from llmaas_client.wire.models import Health, ModelInfo

MOST_ROWS = 20
MOST_CELL = 120
_FIRST = 6
MOST_LISTED = 10


def embed_result(result: EmbedResult) -> str:
    rows = [
        (brief(about, MOST_CELL), text(", ".join(f"{x:+.3f}" for x in vector[:_FIRST]) + ", …"))
        for vector, about in zip(
            result.embeddings[:MOST_ROWS],
            [*result.about, *[""] * MOST_ROWS],
            strict=False,
        )
    ]
    size = len(result.embeddings[0]) if result.embeddings else 0
    left = len(result.embeddings) - len(rows)
    return frame(
        table(("", ""), rows),
        quiet(f"and {left} more" if left else ""),
        footer(result, f"{len(result.embeddings)} vectors of {size} numbers"),
    )


def map_result(result: MapResult[Any]) -> str:
    items = result.items[:MOST_ROWS]
    names = result.column_names
    rows: list[list[HTML]] = []
    for item in items:
        cells = [text(item.index), _cell(item.input)]
        if item.error is not None:
            bad = tag("span", text(str(item.error)), klass="bad")
            rows.append([*cells, bad, *[HTML("")] * (len(names) - 1)])
        else:
            row = result.row_of(item)
            rows.append([*cells, *(_cell(row.get(name)) for name in names)])
    left = len(result.items) - len(rows)
    more = quiet(f"and {left} more" if left else "")
    return frame(table(("", "input", *names), rows, numbers=[0]), more, quiet(repr(result)[1:-1]))


def client_card(
    title: str, health: Health | None, models: list[ModelInfo], problem: str | None
) -> str:
    """A client, and the server behind it as it said it is."""
    parts = [tag("div", tag("b", text(title)))]
    if problem is not None:
        parts.append(tag("div", text(problem), klass="bad"))
    if health is not None:
        parts.append(quiet(f"server {health.version}", health.status))
    rows = [
        (
            text(model.id),
            text(", ".join(model.default_for)),
            text(model.state),
            text(model.kernels or ""),
        )
        for model in models
    ]
    if rows:
        parts.append(table(("model", "default for", "state", "computed by"), rows))
    return frame(*parts)


def _cell(value: Any) -> HTML:
    if isinstance(value, float):
        return text(f"{value:.3f}")
    if isinstance(value, list):
        return brief(_joined(value), MOST_CELL)  # pyright: ignore[reportUnknownArgumentType]
    return brief("" if value is None else str(value), MOST_CELL)


def _joined(values: Sequence[Any]) -> str:
    return ", ".join(str(value) for value in values[:MOST_LISTED])
