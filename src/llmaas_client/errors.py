"""Everything that can go wrong, as one tree of exceptions.

    LLMaaSError
    ├── ConfigurationError (ValueError)          the client was told something impossible
    ├── ConnectionFailed (ConnectionError)       no answer: nothing listens, or the line broke
    ├── StreamInterrupted (ConnectionError)      a stream was cut; `.partial` is what came
    ├── NotRecorded (LookupError)                a cassette that is replayed has no such answer
    ├── UnexpectedResponse                       what answered does not speak this contract
    ├── UnsupportedType (TypeError)              `returns=` or a tool has a type without a schema
    ├── OutputError (ValueError)                 an answer is not what `returns=` asked for
    │   ├── OutputTruncated                      it was cut; `.partial` is what came
    │   └── OutputMismatch                       it does not validate; `.problems` says why
    ├── StepLimitReached                         a tool loop did not come to an end; `.steps`
    ├── InvalidRequest (ValueError)              the request is wrong; sending it again won't help
    │   ├── MalformedRequest  InvalidJSON  UnknownField  UnsupportedParameter
    │   ├── EmptyText  InvalidText
    │   ├── TooFewLabels  TooManyLabels  DuplicateLabels
    │   ├── ContextOverflow  ModelCannotDoTask  ModelHasNoHead
    │   └── HeadersTooLarge  BodyTooLarge  UnsupportedMediaType  MethodNotAllowed
    ├── AuthenticationFailed                     who are you?
    │   └── MissingKey  InvalidKey  WrongPassword
    ├── PermissionDenied (PermissionError)       you may not
    │   └── NotAllowed
    ├── NotFound (LookupError)                   there is no such thing
    │   └── ModelNotFound  ModelNotPulled
    ├── Conflict                                 it contradicts an earlier request
    ├── RateLimited                              too often; `.retry_after` seconds
    │   └── BudgetExceeded
    ├── Overloaded                               not now
    │   └── OutOfMemory  Starting  ShuttingDown
    ├── TimedOut (TimeoutError)                  it took too long
    │   └── RequestTimeout  DeadlineExceeded  Cancelled
    └── ServerFault                              the server failed
        └── WorkerLost  StorageUnavailable  ModelBroken  HubUnreachable  InternalError

Every code of `wire.errors` has one class. The server's own answers and what the client finds
before it sends anything are the same classes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from .batch.items import MapResult
    from .tools.steps import Step
    from .wire.chat import ChatResult, Message

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


class ConfigurationError(LLMaaSError, ValueError):
    """The client was told something impossible: an address, a key, a timeout, a file."""

    code = "configuration_error"


class ConnectionFailed(LLMaaSError, ConnectionError):
    """No answer came: nothing listens there, the name is unknown, or the line broke.

    `retryable` is true where nothing had been sent yet.
    """

    code = "connection_failed"


class StreamInterrupted(LLMaaSError, ConnectionError):
    """A stream ended before its end. `partial` is the text that had come."""

    code = "stream_interrupted"

    def __init__(self, message: str, *, partial: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.partial = partial


class NotRecorded(LLMaaSError, LookupError):
    """The cassette that is replayed has no answer to this request."""

    code = "not_recorded"


class UnexpectedResponse(LLMaaSError):
    """What answered does not speak this contract: another program, a proxy, another version."""

    code = "unexpected_response"


class UnsupportedType(LLMaaSError, TypeError):
    """A type that no JSON schema describes, or no grammar can hold: nothing was sent."""

    code = "unsupported_type"


class OutputError(LLMaaSError, ValueError):
    """An answer is not what `returns=` asked for. `result` is all of it."""

    code = "output"

    def __init__(
        self, message: str, *, hint: str | None = None, result: ChatResult | None = None
    ) -> None:
        super().__init__(
            message, hint=hint, request_id=None if result is None else result.request_id
        )
        self.result = result


class OutputTruncated(OutputError):
    """An answer ended before it was whole. `partial` is the text that came."""

    code = "output_truncated"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        result: ChatResult | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message, hint=hint, result=result)
        self.partial = partial


class OutputMismatch(OutputError):
    """An answer follows the schema, but is no valid value. `problems` has one line for each."""

    code = "output_mismatch"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        result: ChatResult | None = None,
        text: str = "",
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, result=result)
        self.text = text
        self.problems = list(problems)


class StepLimitReached(LLMaaSError):
    """The model went on calling tools. `steps` has all that happened, `messages` all of it as a
    conversation that can go on."""

    code = "step_limit"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        steps: Sequence[Step] = (),
        messages: Sequence[Message] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.steps = tuple(steps)
        self.messages = list(messages)


class InvalidRequest(LLMaaSError, ValueError):
    """The request is wrong; `param` names the field where one is to blame."""

    code = "invalid_request"


class MalformedRequest(InvalidRequest):
    """The request is not valid HTTP."""

    code = "malformed_request"


class InvalidJSON(InvalidRequest):
    """The body is not valid JSON."""

    code = "invalid_json"


class UnknownField(InvalidRequest):
    """The request has a field that does not exist."""

    code = "unknown_field"


class UnsupportedParameter(InvalidRequest):
    """The parameter exists, but not for this task, method or model."""

    code = "unsupported_parameter"


class EmptyText(InvalidRequest):
    """A text has nothing in it."""

    code = "empty_text"


class InvalidText(InvalidRequest):
    """A text holds a NUL character or a lone surrogate."""

    code = "invalid_text"


class TooFewLabels(InvalidRequest):
    """Fewer labels than there must be to choose from."""

    code = "too_few_labels"


class TooManyLabels(InvalidRequest):
    """More labels than the method can take."""

    code = "too_many_labels"


class DuplicateLabels(InvalidRequest):
    """A label is there twice."""

    code = "duplicate_labels"


class ContextOverflow(InvalidRequest):
    """The input, or input and answer together, exceed the model's context."""

    code = "context_overflow"
    needed: int | None = None
    """Tokens that the request would take."""
    limit: int | None = None
    """Tokens that the model's context has."""


class ModelCannotDoTask(InvalidRequest):
    """The model is made for other tasks."""

    code = "model_cannot_do_task"


class ModelHasNoHead(InvalidRequest):
    """The model has no trained classification head."""

    code = "model_has_no_head"


class HeadersTooLarge(InvalidRequest):
    """The address and the headers are longer than the server takes."""

    code = "headers_too_large"


class BodyTooLarge(InvalidRequest):
    """The request is larger than the server takes."""

    code = "body_too_large"


class UnsupportedMediaType(InvalidRequest):
    """The server takes JSON only."""

    code = "unsupported_media_type"


class MethodNotAllowed(InvalidRequest):
    """The address takes another method."""

    code = "method_not_allowed"


class AuthenticationFailed(LLMaaSError):
    """The server does not know who asks."""

    code = "authentication"


class MissingKey(AuthenticationFailed):
    """The request carried no key."""

    code = "missing_key"


class InvalidKey(AuthenticationFailed):
    """The key is not known to this server."""

    code = "invalid_key"


class WrongPassword(AuthenticationFailed):
    """The e-mail or the password is wrong."""

    code = "wrong_password"


class PermissionDenied(LLMaaSError, PermissionError):
    """The server knows who asks, and refuses."""

    code = "permission"


class NotAllowed(PermissionDenied):
    """The key may not do this."""

    code = "not_allowed"


class NotFound(LLMaaSError, LookupError):
    """There is nothing of this name, or at this address."""

    code = "not_found"


class ModelNotFound(NotFound):
    """No model has this name; the message lists those that exist."""

    code = "model_not_found"


class ModelNotPulled(NotFound):
    """The model is known, but its files are not on the server's machine."""

    code = "model_not_pulled"


class Conflict(LLMaaSError):
    """The request contradicts an earlier one."""

    code = "conflict"


class RateLimited(LLMaaSError):
    """Too many requests; wait for `retry_after` seconds."""

    code = "rate_limited"


class BudgetExceeded(RateLimited):
    """What the request may cost at most exceeds what a budget has left."""

    code = "budget_exceeded"


class Overloaded(LLMaaSError):
    """The server cannot take the request now."""

    code = "overloaded"


class OutOfMemory(Overloaded):
    """The model does not fit into memory now."""

    code = "out_of_memory"


class Starting(Overloaded):
    """The server is still starting."""

    code = "starting"


class ShuttingDown(Overloaded):
    """The server is shutting down."""

    code = "shutting_down"


class TimedOut(LLMaaSError, TimeoutError):
    """It took too long."""

    code = "timeout"


class DeadlineExceeded(TimedOut):
    """The time that `timeout` allowed for the whole call is over; `phase` says where it ended."""

    code = "deadline_exceeded"
    phase: Phase = "server"


class RequestTimeout(TimedOut):
    """The request did not arrive at the server in time."""

    code = "request_timeout"


class Cancelled(TimedOut):
    """The server saw the caller go away before the answer."""

    code = "cancelled"


class ServerFault(LLMaaSError):
    """The server failed."""

    code = "server"


class WorkerLost(ServerFault):
    """The process that computes ended in the middle of the request."""

    code = "worker_lost"


class StorageUnavailable(ServerFault):
    """The server's database cannot be read or written now."""

    code = "storage_unavailable"


class ModelBroken(ServerFault):
    """The model's files cannot be loaded."""

    code = "model_broken"


class HubUnreachable(ServerFault):
    """The source of the model cannot be reached."""

    code = "hub_unreachable"


class InternalError(ServerFault):
    """The server made a mistake; report it with the request id."""

    code = "internal_error"
