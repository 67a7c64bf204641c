"""From what the server says to the exception to raise: by code first, by family second."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

from pydantic import BaseModel, ValidationError

from . import errors
from .errors import LLMaaSError
from .wire import REQUEST_ID_HEADER
from .wire.errors import ERRORS, ErrorDetail, type_of

BY_CODE: dict[str, type[LLMaaSError]] = {
    cls.code: cls
    for cls in vars(errors).values()
    if isinstance(cls, type) and issubclass(cls, LLMaaSError) and cls.code in ERRORS
}

BY_FAMILY: dict[str, type[LLMaaSError]] = {
    "invalid_request": errors.InvalidRequest,
    "authentication": errors.AuthenticationFailed,
    "permission": errors.PermissionDenied,
    "not_found": errors.NotFound,
    "conflict": errors.Conflict,
    "rate_limit": errors.RateLimited,
    "overloaded": errors.Overloaded,
    "timeout": errors.TimedOut,
    "server": errors.ServerFault,
}

_WORTH_ANOTHER_TRY = frozenset({"rate_limit", "overloaded"})
"""Families that may be tried again although their code is unknown: nothing was computed."""


class _Detail(BaseModel):
    """An error as servers newer than this client may send it: any code, any further fields."""

    type: str = ""
    code: str = ""
    message: str
    hint: str | None = None
    param: str | None = None
    request_id: str | None = None
    retryable: bool = False
    retry_after: float | None = None
    needed: int | None = None
    limit: int | None = None


class _Body(BaseModel):
    error: _Detail


def from_detail(detail: ErrorDetail) -> LLMaaSError:
    """The exception for an error of the wire's own table."""
    return _build(_Detail.model_validate(detail.model_dump()), detail.type)


def from_event(data: str) -> LLMaaSError:
    """The exception for the `error` event of a stream."""
    try:
        detail = _Body.model_validate_json(data).error
    except ValidationError:
        return errors.UnexpectedResponse("the stream ended with an error that cannot be read")
    return _build(detail, detail.type or "server")


def from_response(
    url: str, status: int, headers: Mapping[str, str], body: bytes, now: float
) -> LLMaaSError:
    """The exception for a response that is not a success. `now` is seconds since 1970."""
    after = retry_after(headers.get("retry-after"), now)
    request_id = headers.get(REQUEST_ID_HEADER)
    try:
        detail = _Body.model_validate_json(body).error
    except ValidationError:
        guess = type_of(status)
        return BY_FAMILY[guess](
            f"{url} answered {status} without saying why",
            hint="Something between here and the server may have answered: check base_url.",
            request_id=request_id,
            retry_after=after,
            retryable=guess in _WORTH_ANOTHER_TRY,
        )
    if detail.retry_after is None:
        detail.retry_after = after
    if detail.request_id is None:
        detail.request_id = request_id
    family = detail.type if detail.type in BY_FAMILY else type_of(status)
    return _build(detail, family)


def _build(detail: _Detail, family: str) -> LLMaaSError:
    cls = BY_CODE.get(detail.code) or BY_FAMILY.get(family, errors.ServerFault)
    error = cls(
        detail.message,
        code=detail.code or None,
        hint=detail.hint,
        param=detail.param,
        request_id=detail.request_id,
        retry_after=detail.retry_after,
        retryable=detail.retryable,
    )
    if isinstance(error, errors.ContextOverflow):
        error.needed, error.limit = detail.needed, detail.limit
    return error


def retry_after(value: str | None, now: float) -> float | None:
    """Seconds to wait, from a header that has seconds or a date; None for anything else."""
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            date = parsedate_to_datetime(value)
        except ValueError:
            return None
        seconds = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - now
    return max(0.0, seconds) if seconds < float("inf") else None
