"""The root of the tree."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapResult

Phase = Literal["connect", "answer", "body", "retry", "server"]
"""Where the time ran out: connecting, waiting for the answer, reading it, between two tries, or
at the server."""


class LLMaaSError(Exception):
    """The base of all errors of this client. Its text is one line and says what to do next."""

    code: str = "error"
    """The name of the error: stable, made for programs."""
    message: str
    hint: str | None
    """What to do next."""
    param: str | None
    """The field of the request that is wrong, such as `messages.0.content`."""
    request_id: str | None
    """The id under which the server's log knows the request."""
    retry_after: float | None
    """Seconds after which another try may succeed, where the server said so."""
    retryable: bool
    """Whether the same request may be sent again without harm."""
    attempts: int
    """How often the client tried."""
    results: MapResult[Any] | None = None
    """Of a `map` that this error ended: what was done by then."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        param: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        retryable: bool = False,
        code: str | None = None,
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.param = param
        self.request_id = request_id
        self.retry_after = retry_after
        self.retryable = retryable
        self.attempts = attempts
        if code is not None:
            self.code = code

    def __str__(self) -> str:
        text = self.message
        if self.hint and self.hint not in text:
            text = f"{text.rstrip('.')}. {self.hint}"
        return " ".join(text.split())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return _restore, (type(self), self.args, self.__dict__)

    @classmethod
    def _restored(cls, args: tuple[Any, ...], state: dict[str, Any]) -> Self:
        error = cls.__new__(cls)
        error.args = args
        error.__dict__.update(state)
        return error


def _restore(cls: type[LLMaaSError], args: tuple[Any, ...], state: dict[str, Any]) -> LLMaaSError:
    return cls._restored(args, state)  # pyright: ignore[reportPrivateUsage]
