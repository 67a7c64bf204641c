from __future__ import annotations

import json
from datetime import UTC, datetime
from email.utils import format_datetime

import pytest

from llmaas_client import errors
from llmaas_client.refusals import BY_CODE, from_event, from_response, retry_after
from llmaas_client.wire.errors import ERRORS, ErrorCode
from support import answers

NOW = 1_700_000_000.0
URL = "http://127.0.0.1:8000/v1/tasks/chat"


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_the_code_chooses_the_class(code: ErrorCode) -> None:
    body = answers.error(code, "what happened", param="text", request_id="req-9", retry_after=2.0)
    # The status is another row's: the code decides.
    error = from_response(URL, 418, {}, json.dumps(body).encode(), NOW)
    assert type(error) is BY_CODE[code]
    assert error.code == code
    assert error.message == "what happened"
    assert error.hint == ERRORS[code].hint
    assert (error.param, error.request_id, error.retry_after) == ("text", "req-9", 2.0)
    assert error.retryable is ERRORS[code].retryable
    assert type(from_event(json.dumps(body))) is BY_CODE[code]


def test_an_overflow_carries_its_numbers() -> None:
    body = answers.error("context_overflow", "too long", needed=2100, limit=2048)
    error = from_response(URL, 422, {}, json.dumps(body).encode(), NOW)
    assert isinstance(error, errors.ContextOverflow)
    assert (error.needed, error.limit) == (2100, 2048)
    silent = from_response(
        URL, 422, {}, json.dumps(answers.error("context_overflow")).encode(), NOW
    )
    assert isinstance(silent, errors.ContextOverflow)
    assert (silent.needed, silent.limit) == (None, None)


@pytest.mark.parametrize(
    ("status", "family", "cls"),
    [
        (409, "conflict", errors.Conflict),
        (409, "a family of later years", errors.NotFound),
        (429, "", errors.RateLimited),
        (599, "", errors.ServerFault),
    ],
)
def test_an_unknown_code_has_the_class_of_its_family(
    status: int, family: str, cls: type[errors.LLMaaSError]
) -> None:
    body = {"error": {"type": family, "code": "of_later_years", "message": "new", "more": 1}}
    error = from_response(URL, status, {}, json.dumps(body).encode(), NOW)
    assert type(error) is cls
    assert error.code == "of_later_years"


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"error": "no"}', b'{"detail": 1}'])
def test_an_answer_of_somebody_else_has_the_family_of_its_status(body: bytes) -> None:
    headers = {"retry-after": "7", "x-request-id": "req-proxy"}
    error = from_response(URL, 503, headers, body, NOW)
    assert type(error) is errors.Overloaded
    assert error.retryable
    assert error.retry_after == 7
    assert error.request_id == "req-proxy"
    assert "503" in str(error)
    assert not from_response(URL, 500, {}, body, NOW).retryable


def test_an_error_event_that_cannot_be_read() -> None:
    assert type(from_event("{}")) is errors.UnexpectedResponse


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("3", 3.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        (format_datetime(datetime.fromtimestamp(NOW + 12, UTC), usegmt=True), 12.0),
        (format_datetime(datetime.fromtimestamp(NOW - 12, UTC), usegmt=True), 0.0),
        ("Tue, 14 Nov 2023 22:13:40 -0000", 20.0),
    ],
)
def test_retry_after(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOW) == seconds
