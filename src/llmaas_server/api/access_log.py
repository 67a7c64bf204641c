"""One line of the log for each request."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Access:
    """What is told of a request: no query, no header, no body, and of the path its template only,
    so that nothing in it is secret or a user's text."""

    request_id: str
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
        )

    def fields(self) -> dict[str, object]:
        """For a log of objects."""
        return asdict(self)
