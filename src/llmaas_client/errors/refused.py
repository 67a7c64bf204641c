"""What the server says: a class for each code of `wire.errors`."""

from __future__ import annotations

from .base import LLMaaSError, Phase


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
