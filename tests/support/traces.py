"""What a server traces, kept in memory."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llmaas_server.app import ModelStore
from llmaas_server.gateway.otel import OtelTracer
from llmaas_server.seam.backend import Backend
from llmaas_server.settings import Settings

from .front import Front, eventually, front


@dataclass(frozen=True, slots=True)
class Traced:
    """A running front, and the spans of its requests that are over."""

    front: Front
    _exporter: InMemorySpanExporter = field(repr=False)

    def spans(self) -> tuple[ReadableSpan, ...]:
        return self._exporter.get_finished_spans()

    def clear(self) -> None:
        self._exporter.clear()

    def trace(self) -> Node:
        """Of the one request that was made since `clear`, when it is over."""
        eventually(lambda: any(is_request(span) for span in self.spans()), "a request is traced")
        (root,) = (span for span in self.spans() if is_request(span))
        return _node(root, self.spans())


@dataclass(frozen=True, slots=True)
class Node:
    """A span and what is below it, in the order in which it began."""

    span: ReadableSpan
    below: list[Node]

    @property
    def name(self) -> str:
        return self.span.name

    @property
    def attributes(self) -> dict[str, Any]:
        return dict(self.span.attributes or {})

    def outline(self) -> Any:
        """Names alone: a name, or a name with what is below it."""
        return {self.name: [one.outline() for one in self.below]} if self.below else self.name

    def at(self, *names: str) -> Node:
        """The first span below with each of these names in turn."""
        node = self
        for name in names:
            node = next(one for one in node.below if one.name == name)
        return node


@contextmanager
def traced(
    settings: Settings, backend: Backend | None = None, store: ModelStore | None = None
) -> Iterator[Traced]:
    """Serve as `front` does, and keep what is traced."""
    exporter = InMemorySpanExporter()
    tracer = OtelTracer(SimpleSpanProcessor(exporter), "1.2.3")
    with front(settings, backend, store, tracer) as running:
        yield Traced(running, exporter)


@contextmanager
def traced_fake(home: Path) -> Iterator[Traced]:
    """The same with answers that are made up."""
    with traced(Settings(home=home, cache=home / "cache", backend="fake")) as running:
        yield running


def is_request(span: ReadableSpan) -> bool:
    return span.kind.name == "SERVER"


def _node(span: ReadableSpan, spans: tuple[ReadableSpan, ...]) -> Node:
    below = [
        one
        for one in spans
        if one.parent is not None
        and span.context is not None
        and one.parent.span_id == span.context.span_id
    ]
    return Node(
        span, [_node(one, spans) for one in sorted(below, key=lambda it: it.start_time or 0)]
    )
