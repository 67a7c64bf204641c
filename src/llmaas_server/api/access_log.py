"""What the log has of requests: a line for each, and one for each that failed by accident."""

from __future__ import annotations

import traceback
from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Access:
    """What is told of a request: no query, no header, no body, and of the path its template only,
    so that nothing in it is secret or a user's text."""

    event: ClassVar[str] = "request"

    request_id: str
    trace_id: str | None
    """None where requests are not traced."""
    key_id: str | None
    """The public part of the caller's key."""
    method: str
    route: str | None
    """None where the path is no address of the server, or nobody asked for it with a key."""
    status: int | None
    """None where the caller went away before an answer."""
    duration_ms: float

    def __str__(self) -> str:
        return (
            f"{self.request_id} {self.key_id or '-'} {self.method} {self.route or '-'} "
            f"{self.status or '-'} {self.duration_ms:.0f}ms"
            f"{f' trace={self.trace_id}' if self.trace_id else ''}"
        )

    def fields(self) -> dict[str, object]:
        """For a log of objects."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Accident:
    """An exception that nobody expected: of which type, and where; not its text, which may hold
    what a user wrote."""

    event: ClassVar[str] = "accident"

    request_id: str
    exception: str
    frames: str

    @classmethod
    def of(cls, error: Exception, request_id: str) -> Accident:
        frames = "".join(traceback.format_tb(error.__traceback__))
        return cls(request_id, type(error).__name__, frames)

    def __str__(self) -> str:
        return f"{self.request_id}: {self.exception}\n{self.frames}"

    def fields(self) -> dict[str, object]:
        """For a log of objects."""
        return asdict(self)
