from __future__ import annotations

from typing import get_args

import pytest

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode, ErrorType, describe, type_of


def test_every_code_has_a_row() -> None:
    assert set(ERRORS) == set(get_args(ErrorCode))


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_row_is_whole(code: ErrorCode) -> None:
    row = ERRORS[code]
    assert row.code == code
    assert 400 <= row.status < 600
    assert row.type in get_args(ErrorType)
    assert row.meaning.endswith(".")
    assert row.hint.endswith(".")


@pytest.mark.parametrize("code", sorted(ERRORS))
def test_a_body_goes_there_and_back(code: ErrorCode) -> None:
    body = describe(code, "what", param="text", request_id="req-1", retry_after=1.5)
    assert ErrorBody.model_validate_json(body.model_dump_json()) == body
    assert body.error.retryable == ERRORS[code].retryable


def test_only_what_did_nothing_may_be_repeated() -> None:
    again = {code for code, row in ERRORS.items() if row.retryable}
    assert again == {
        "rate_limited",
        "overloaded",
        "starting",
        "shutting_down",
        "worker_lost",
        "storage_unavailable",
    }


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, "invalid_request"),
        (401, "authentication"),
        (403, "permission"),
        (404, "not_found"),
        (418, "invalid_request"),
        (429, "rate_limit"),
        (500, "server"),
        (503, "overloaded"),
        (504, "timeout"),
        (599, "server"),
    ],
)
def test_a_status_alone_has_a_family(status: int, family: str) -> None:
    assert type_of(status) == family
