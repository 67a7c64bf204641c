"""Answers as they came over the network, beside what was made of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from .steps import Flow, Head, Read, Reply, Send
from .wire import REQUEST_ID_HEADER

ResultT = TypeVar("ResultT")
T = TypeVar("T")


@dataclass(frozen=True)
class RawResponse(Generic[ResultT]):
    """One answer: its head, its body, and the result that a call without `raw` gives."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    """Names are in lower case."""
    content: bytes = field(repr=False)
    """The body, decompressed."""
    parsed: ResultT

    @property
    def request_id(self) -> str | None:
        """The id to quote when you report a problem."""
        return self.headers.get(REQUEST_ID_HEADER)

    @property
    def text(self) -> str:
        """The body as text."""
        return self.content.decode(errors="replace")

    def json(self) -> Any:
        """The body as plain data. Raises ValueError."""
        from json import loads

        return loads(self.content)


class Capture:
    """Keeps the last answer of the flows that it watches."""

    def __init__(self) -> None:
        self._head = Head(0, False, {})
        self._pieces: list[bytes] = []

    def watch(self, flow: Flow[T]) -> Flow[T]:
        """The same flow, seen from outside."""
        reply: Reply = None
        try:
            while True:
                step = flow.send(reply)
                reply = yield step
                if isinstance(step, Send) and isinstance(reply, Head):
                    self._head, self._pieces = reply, []
                elif isinstance(step, Read) and isinstance(reply, bytes):
                    self._pieces.append(reply)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            flow.close()

    def beside(self, flow: Flow[T]) -> Flow[RawResponse[T]]:
        """A flow that was made with this capture, its answer beside its result."""
        result = yield from flow
        head = self._head
        return RawResponse(head.status, dict(head.headers), b"".join(self._pieces), result)
