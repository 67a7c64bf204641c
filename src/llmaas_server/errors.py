"""Domain errors of the server.

Every error that a caller can see is a `Problem` with a code of the wire's table. Rooms raise it
with the remedy in its text; `api.problems` alone turns it into a response.
"""

from __future__ import annotations

from collections.abc import Iterable

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode, describe


class Problem(Exception):
    """A request cannot be served, and the caller is told why and what to do next."""

    def __init__(
        self,
        code: ErrorCode,
        message: str | None = None,
        *,
        hint: str | None = None,
        param: str | None = None,
        retry_after: float | None = None,
        needed: int | None = None,
        limit: int | None = None,
    ) -> None:
        self.code: ErrorCode = code
        self.message = message or ERRORS[code].meaning
        self.hint = hint or ERRORS[code].hint
        self.param = param
        self.retry_after = retry_after
        self.needed = needed
        self.limit = limit
        super().__init__(self.message)

    def body(self, request_id: str | None = None) -> ErrorBody:
        return describe(
            self.code,
            self.message,
            hint=self.hint,
            param=self.param,
            request_id=request_id,
            retry_after=self.retry_after,
            needed=self.needed,
            limit=self.limit,
        )


def model_not_found(name: str, known: Iterable[str]) -> Problem:
    """No such model; the message names those that exist."""
    names = ", ".join(sorted(known)) or "none"
    return Problem(
        "model_not_found", f"no model is named {name!r}; there are: {names}", param="model"
    )


def context_overflow(needed: int, context: int, what: str = "the prompt") -> Problem:
    """Too many tokens; the message carries both numbers."""
    return Problem(
        "context_overflow",
        f"{what} needs {needed} tokens, and the model's context has {context}",
        needed=needed,
        limit=context,
    )
