"""The one table of errors: code -> HTTP status, family, retryable, what to do.

The server turns a code into a response, the client turns it into an exception class; both read
this table, so they cannot drift. The set of codes is closed: a code outside it is a defect.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from .base import WireModel

ErrorType = Literal[
    "invalid_request",
    "authentication",
    "permission",
    "not_found",
    "conflict",
    "rate_limit",
    "overloaded",
    "timeout",
    "server",
]

ErrorCode = Literal[
    "malformed_request",
    "invalid_json",
    "invalid_request",
    "unknown_field",
    "unsupported_parameter",
    "empty_text",
    "invalid_text",
    "too_few_labels",
    "too_many_labels",
    "duplicate_labels",
    "context_overflow",
    "model_cannot_do_task",
    "model_has_no_head",
    "headers_too_large",
    "body_too_large",
    "request_timeout",
    "unsupported_media_type",
    "missing_key",
    "invalid_key",
    "wrong_password",
    "not_allowed",
    "not_found",
    "model_not_found",
    "model_not_pulled",
    "method_not_allowed",
    "conflict",
    "rate_limited",
    "budget_exceeded",
    "overloaded",
    "out_of_memory",
    "starting",
    "shutting_down",
    "worker_lost",
    "storage_unavailable",
    "deadline_exceeded",
    "cancelled",
    "model_broken",
    "hub_unreachable",
    "internal_error",
]


@dataclass(frozen=True, slots=True)
class ErrorSpec:
    """One row of the table."""

    code: ErrorCode
    status: int
    type: ErrorType
    meaning: str
    hint: str
    retryable: bool = False
    """True where sending the same request again later may succeed and can do no harm."""


_ROWS = (
    ErrorSpec("malformed_request", 400, "invalid_request", "The request is not valid HTTP.",
              "Use an HTTP library; speak https to a server that has a certificate."),
    ErrorSpec("invalid_json", 400, "invalid_request", "The body is not valid JSON.",
              "Send one JSON object, encoded as UTF-8."),
    ErrorSpec("invalid_request", 422, "invalid_request", "A field is missing or wrong.",
              "`param` names the field; GET /v1/tasks has the schema."),
    ErrorSpec("unknown_field", 422, "invalid_request", "The request has an unknown field.",
              "Remove the field that `param` names, or check its spelling."),
    ErrorSpec("unsupported_parameter", 422, "invalid_request",
              "The parameter exists, but not for this task, method or model.",
              "Remove the parameter that `param` names, or choose another model or method."),
    ErrorSpec("empty_text", 422, "invalid_request", "A text is empty.",
              "Send text with at least one visible character."),
    ErrorSpec("invalid_text", 422, "invalid_request",
              "A text holds a NUL character or a lone surrogate.",
              "Remove the character; decode the source with its right encoding."),
    ErrorSpec("too_few_labels", 422, "invalid_request", "Fewer labels than the task needs.",
              "Send at least two labels, or one with multi=true."),
    ErrorSpec("too_many_labels", 422, "invalid_request", "More labels than the method can take.",
              "Send fewer labels, or use an embedding model, which takes the most."),
    ErrorSpec("duplicate_labels", 422, "invalid_request", "A label is there twice.",
              "Send each label once."),
    ErrorSpec("context_overflow", 422, "invalid_request",
              "The prompt, or the prompt and max_tokens, exceed the model's context.",
              "Shorten the input, lower max_tokens, or choose a model with a longer context."),
    ErrorSpec("model_cannot_do_task", 422, "invalid_request", "The model cannot do this task.",
              "Choose a model that can: GET /v1/models lists the tasks of each."),
    ErrorSpec("model_has_no_head", 422, "invalid_request",
              "The model has no trained classification head.",
              "Choose a fine-tuned classifier, an NLI model or an embedding model."),
    ErrorSpec("headers_too_large", 431, "invalid_request",
              "The address and the headers are longer than the server takes.",
              "Send fewer and shorter headers; texts belong into the body."),
    ErrorSpec("body_too_large", 413, "invalid_request", "The body is larger than the server takes.",
              "Split the input into several requests, or raise max_body_bytes on the server."),
    ErrorSpec("unsupported_media_type", 415, "invalid_request", "The body is not JSON.",
              "Send Content-Type: application/json."),
    ErrorSpec("missing_key", 401, "authentication", "The request carries no key.",
              "Send Authorization: Bearer KEY, or set LLMAAS_API_KEY."),
    ErrorSpec("invalid_key", 401, "authentication", "The key is not known to this server.",
              "Check LLMAAS_API_KEY; on the server's own machine the key lies in LLMAAS_HOME."),
    ErrorSpec("wrong_password", 401, "authentication", "The e-mail or the password is wrong.",
              "Check both; capital letters count in the password."),
    ErrorSpec("not_allowed", 403, "permission", "The key may not do this.",
              "Use a key with the right scope."),
    ErrorSpec("not_found", 404, "not_found", "There is nothing at this address.",
              "GET /v1/tasks lists the tasks, /openapi.json every address."),
    ErrorSpec("model_not_found", 404, "not_found", "No model has this name.",
              "GET /v1/models or `llmaas models list` names the models that exist."),
    ErrorSpec("model_not_pulled", 409, "not_found",
              "The model is known, but its files are not on this machine.",
              "Run `llmaas models pull NAME` on the server's machine."),
    ErrorSpec("method_not_allowed", 405, "invalid_request", "The address takes another method.",
              "The Allow header names the methods."),
    ErrorSpec("conflict", 409, "conflict", "The request contradicts an earlier one.",
              "Read the current state, then decide again."),
    ErrorSpec("rate_limited", 429, "rate_limit", "Too many requests.",
              "Wait for `retry_after` seconds.", retryable=True),
    ErrorSpec("budget_exceeded", 402, "rate_limit",
              "What the request may cost at most exceeds what a budget has left.",
              "Lower max_tokens, wait for the next period, or raise the budget."),
    ErrorSpec("overloaded", 503, "overloaded", "The server's queue is full.",
              "Wait for `retry_after` seconds, or send less at once.", retryable=True),
    ErrorSpec("out_of_memory", 503, "overloaded", "The model does not fit into memory now.",
              "Choose a smaller model, or raise the memory budget on the server."),
    ErrorSpec("starting", 503, "overloaded", "The server is still starting.",
              "Try again in a moment.", retryable=True),
    ErrorSpec("shutting_down", 503, "overloaded", "The server is shutting down.",
              "Try again when it is back.", retryable=True),
    ErrorSpec("worker_lost", 503, "server",
              "The process that computes ended in the middle of the request.",
              "Send the request again: the process is started anew by itself.", retryable=True),
    ErrorSpec("storage_unavailable", 503, "server",
              "The database cannot be read or written now.",
              "Try again in a moment; `llmaas doctor` on the server says more.", retryable=True),
    ErrorSpec("request_timeout", 408, "timeout", "The request did not arrive in time.",
              "Send the whole request at once, over a faster connection."),
    ErrorSpec("deadline_exceeded", 504, "timeout", "The time for this request is over.",
              "Raise the timeout, or ask for less."),
    ErrorSpec("cancelled", 499, "timeout", "The caller went away before the answer.",
              "Nothing to do: the work was stopped."),
    ErrorSpec("model_broken", 500, "server", "The model's files cannot be loaded.",
              "Run `llmaas models show NAME`, then pull the model again."),
    ErrorSpec("hub_unreachable", 502, "server", "The source of the model cannot be reached.",
              "Check the network and the proxy, or carry the file: `llmaas models import FILE`."),
    ErrorSpec("internal_error", 500, "server", "The server made a mistake.",
              "Report it with the request id; the server's log has the details."),
)  # fmt: skip

ERRORS: dict[ErrorCode, ErrorSpec] = {row.code: row for row in _ROWS}

if set(ERRORS) != set(get_args(ErrorCode)) or len(_ROWS) != len(ERRORS):  # pragma: no cover
    raise AssertionError("the error table and ErrorCode differ")


class ErrorDetail(WireModel):
    """What went wrong, and what to do next."""

    type: ErrorType
    code: ErrorCode
    message: str
    hint: str | None = None
    param: str | None = None
    request_id: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    """Seconds."""
    needed: int | None = None
    """With `context_overflow`: tokens that the request would take."""
    limit: int | None = None
    """With `context_overflow`: tokens that the model's context has."""


class ErrorBody(WireModel):
    """The body of every error response, and the data of an `error` event in a stream."""

    error: ErrorDetail


def describe(
    code: ErrorCode,
    message: str | None = None,
    *,
    hint: str | None = None,
    param: str | None = None,
    request_id: str | None = None,
    retry_after: float | None = None,
    needed: int | None = None,
    limit: int | None = None,
) -> ErrorBody:
    """Fill an error body from the table; what is given replaces the table's words."""
    spec = ERRORS[code]
    return ErrorBody(
        error=ErrorDetail(
            type=spec.type,
            code=code,
            message=message or spec.meaning,
            hint=hint or spec.hint,
            param=param,
            request_id=request_id,
            retryable=spec.retryable,
            retry_after=retry_after,
            needed=needed,
            limit=limit,
        )
    )


def type_of(status: int) -> ErrorType:
    """The family of a refusal that carries no code of this table (a proxy's, say)."""
    for row in _ROWS:
        if row.status == status:
            return row.type
    return "invalid_request" if 400 <= status < 500 else "server"


def is_server_fault(status: int) -> bool:
    """Whether an answer of this status is no fault of the caller."""
    return status >= 500
