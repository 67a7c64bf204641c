"""Traces: what was done for a request, and when. The words for it, and one who tells nobody.

A trace never has a text of a caller in it, and no name or key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol

from llmaas_server.seam.values import Span

Attribute = str | int | float | bool | Sequence[str]
Attributes = Mapping[str, Attribute]


class Trace(Protocol):
    """An open span: a piece of the work for a request."""

    @property
    def id(self) -> str | None:
        """Of the whole trace, as logs name it: 32 hexadecimal digits. None where there is none."""

    @property
    def is_recorded(self) -> bool:
        """Whether anybody will read what is noted."""

    def name(self, name: str) -> None:
        """Give it a better name than the one it began with."""

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, error: str) -> None:
        """Say that it did not go well; `error` is of a closed set."""

    def part(
        self, name: str, attributes: Attributes | None = None
    ) -> AbstractContextManager[Trace]:
        """A piece of it, which ends with the block, and has failed where that raises."""

    def add(self, spans: Sequence[Span]) -> None:
        """Pieces of it that are over, as a worker tells of them."""


class Tracer(Protocol):
    """Makes traces, and brings them to whoever reads them."""

    def request(self, method: str, headers: Mapping[str, str]) -> AbstractContextManager[Trace]:
        """The trace of a request, which goes on where `headers` say that the caller has one
        (`traceparent`, https://www.w3.org/TR/trace-context/)."""

    def close(self) -> None:
        """Bring away what is left; blocks for some seconds at most."""


class Untraced:
    """The trace that nobody reads."""

    id: str | None = None
    is_recorded = False

    def name(self, name: str) -> None: ...

    def note(self, attributes: Attributes) -> None: ...

    def fail(self, error: str) -> None: ...

    @contextmanager
    def part(self, name: str, attributes: Attributes | None = None) -> Iterator[Trace]:
        yield self

    def add(self, spans: Sequence[Span]) -> None: ...


class NoTracer:
    """The tracer of a server that nobody traces."""

    @contextmanager
    def request(self, method: str, headers: Mapping[str, str]) -> Iterator[Trace]:
        yield UNTRACED

    def close(self) -> None: ...


UNTRACED = Untraced()
