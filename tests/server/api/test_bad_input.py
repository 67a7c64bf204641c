"""Bad input gets a typed error that names what is wrong, and the server lives on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorDetail
from support.front import Front

CLASSIFY = "/v1/tasks/classify"
CHAT = "/v1/tasks/chat"
SUMMARIZE = "/v1/tasks/summarize"
EMBED = "/v1/tasks/embed"

GOOD = {"text": "good", "labels": ["a", "b"]}


@dataclass(frozen=True)
class Case:
    """A body for a path, and the error that it must get."""

    name: str
    path: str
    body: Any
    code: str
    param: str | None = None
    says: str = ""

    @property
    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def message(content: Any = "hi", role: Any = "user", **more: Any) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content}], **more}


CASES = [
    Case("nothing", CLASSIFY, b"", "invalid_json"),
    Case("half an object", CLASSIFY, b'{"text": "a", ', "invalid_json", says="column"),
    Case("words", CLASSIFY, b"text=a&labels=b", "invalid_json", says="line 1"),
    Case("two objects", EMBED, b'{"text": "a"} {"text": "b"}', "invalid_json"),
    Case("not UTF-8", EMBED, b'{"text": "\xff\xfe"}', "invalid_json"),
    Case("UTF-16", EMBED, '{"text": "a"}'.encode("utf-16"), "invalid_json"),
    Case("raw surrogate", EMBED, b'{"text": "\xed\xa0\x80"}', "invalid_json"),
    Case("a list", EMBED, ["a"], "invalid_request"),
    Case("null", EMBED, None, "invalid_request"),
    Case("deep nesting", EMBED, b'{"text": ' + b"[" * 100_000, "invalid_json"),
    Case("deep objects", EMBED, b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "invalid_json"),
    Case("a name twice", EMBED, b'{"text": "a", "text": "b"}', "invalid_json", says="'text'"),
    Case("text is a number", EMBED, {"text": 1}, "invalid_request", "text"),
    Case("text is missing", EMBED, {}, "invalid_request", "text"),
    Case("one text is null", EMBED, {"text": ["a", None]}, "invalid_request", "text.1"),
    Case("no texts", EMBED, {"text": []}, "invalid_request", "text", "at least 1 item"),
    Case("too many texts", EMBED, {"text": ["a"] * 1025}, "invalid_request", "text"),
    Case("unknown field", EMBED, {"text": "a", "txet": 1}, "unknown_field", "txet", "'txet'"),
    Case("no stream in embed", EMBED, {"text": "a", "stream": True}, "unknown_field", "stream"),
    Case("no stream in classify", CLASSIFY, {**GOOD, "stream": True}, "unknown_field", "stream"),
    Case("model is a number", EMBED, {"text": "a", "model": 1}, "invalid_request", "model"),
    Case("empty text", EMBED, {"text": ""}, "empty_text", "text"),
    Case("blank text", EMBED, {"text": " \n\t"}, "empty_text", "text"),
    Case("one empty text", EMBED, {"text": ["a", ""]}, "empty_text", "text.1"),
    Case("empty source", SUMMARIZE, {"text": ""}, "empty_text", "text"),
    Case("NUL", EMBED, {"text": "a\0b"}, "invalid_text", "text", "position 1"),
    Case(
        "lone surrogate",
        EMBED,
        b'{"text": "\\ud800"}',
        "invalid_text",
        says="pair at line 1 column",
    ),
    Case("low surrogate first", EMBED, b'{"text": "\\udc00\\ud800"}', "invalid_text"),
    Case("NUL in a message", CHAT, message("\0"), "invalid_text", "messages.0.content"),
    Case("no labels", CLASSIFY, {"text": "a", "labels": []}, "too_few_labels", "labels"),
    Case("no described", CLASSIFY, {"text": "a", "labels": {}}, "too_few_labels", "labels"),
    Case(
        "one label",
        CLASSIFY,
        {"text": "a", "labels": ["x"]},
        "too_few_labels",
        "labels",
        "1 label,",
    ),
    Case(
        "1001 labels",
        CLASSIFY,
        {"text": "a", "labels": [f"l{number}" for number in range(1001)]},
        "too_many_labels",
        "labels",
        "1001",
    ),
    Case(
        "a label twice",
        CLASSIFY,
        {"text": "a", "labels": ["x", "y", "x"]},
        "duplicate_labels",
        "labels",
        "'x'",
    ),
    Case(
        "a described label twice",
        CLASSIFY,
        b'{"text": "a", "labels": {"x": "1", "y": "2", "x": "3"}}',
        "duplicate_labels",
        "labels",
        "'x'",
    ),
    Case("an empty label", CLASSIFY, {"text": "a", "labels": ["x", ""]}, "empty_text", "labels.1"),
    Case("a wrong threshold", CLASSIFY, {**GOOD, "threshold": 2}, "invalid_request", "threshold"),
    Case("top_k of 0", CLASSIFY, {**GOOD, "top_k": 0}, "invalid_request", "top_k"),
    Case("no messages", CHAT, {"messages": []}, "invalid_request", "messages"),
    Case("a wrong role", CHAT, message(role="root"), "invalid_request", "messages.0.role"),
    Case("an empty message", CHAT, message(""), "empty_text", "messages.0.content"),
    Case("no user at the end", CHAT, message(role="assistant"), "invalid_request", "messages"),
    Case("a field of a message", CHAT, {"messages": [{"x": 1}]}, "unknown_field", "messages.0.x"),
    Case("max_tokens of 0", CHAT, message(max_tokens=0), "invalid_request", "max_tokens"),
    Case("text for a number", CHAT, message(top_k="5"), "invalid_request", "top_k"),
    Case("NaN", CHAT, message(temperature=float("nan")), "invalid_request", "temperature"),
    Case("infinity", CHAT, message(temperature=float("inf")), "invalid_request", "temperature"),
    Case("a huge integer", CHAT, message(max_tokens=10**100), "invalid_request", "max_tokens"),
    Case("a huge seed", CHAT, message(seed=2**63), "invalid_request", "seed"),
    Case(
        "an endless integer",
        CHAT,
        json.dumps(message()).encode()[:-1] + b', "seed": ' + b"9" * 5000 + b"}",
        "invalid_json",
    ),
    Case(
        "a wrong method", SUMMARIZE, {"text": "a", "method": "magic"}, "invalid_request", "method"
    ),
    Case(
        "unknown model",
        EMBED,
        {"text": "a", "model": "gpt-9"},
        "model_not_found",
        "model",
        "all-minilm-l6-v2",
    ),
    Case("a path", EMBED, {"text": "a", "model": "../../etc"}, "model_not_found", "model"),
    Case(
        "an encoder cannot chat",
        CHAT,
        message(model="all-minilm-l6-v2"),
        "model_cannot_do_task",
        "model",
        "classify",
    ),
    Case(
        "a decoder cannot embed",
        EMBED,
        {"text": "a", "model": "smollm2-135m-instruct-q4_1"},
        "model_cannot_do_task",
        "model",
        "chat",
    ),
    Case("more than the context", CHAT, message("word " * 5000), "context_overflow", says="4096"),
]


def error_of(response: httpx.Response) -> ErrorDetail:
    """The error in a response, which must be whole and agree with its headers."""
    assert response.headers["content-type"] == "application/json"
    error = ErrorBody.model_validate_json(response.content).error
    spec = ERRORS[error.code]
    assert response.status_code == spec.status
    assert (error.type, error.retryable) == (spec.type, spec.retryable)
    assert error.request_id == response.headers["x-request-id"]
    assert error.message
    assert error.hint
    return error


def post(server: Front, path: str, content: Any, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return server.http.post(
        path, content=content, headers={"content-type": "application/json", **named}
    )


@pytest.fixture(autouse=True)
def server_lives_on(server: Front) -> Iterator[None]:
    yield
    assert post(server, CLASSIFY, json.dumps(GOOD)).status_code == httpx.codes.OK


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_bad_body(server: Front, case: Case) -> None:
    error = error_of(post(server, case.path, case.content))
    assert (error.code, error.param) == (case.code, case.param)
    assert case.says in error.message


def test_body_of_3_mb(server: Front) -> None:
    content = json.dumps({"text": "a" * 3_000_000}).encode()
    assert error_of(post(server, EMBED, content)).code == "body_too_large"


def test_body_of_3_mb_of_unknown_length(server: Front) -> None:
    pieces = (b"a" * 100_000 for _ in range(30))
    assert error_of(post(server, EMBED, pieces)).code == "body_too_large"


def test_largest_body(server: Front) -> None:
    frame = json.dumps({"text": ""})
    content = json.dumps({"text": "a" * ((2 << 20) - len(frame))}).encode()
    assert len(content) == 2 << 20
    assert post(server, EMBED, content).status_code == httpx.codes.OK
    assert error_of(post(server, EMBED, content + b" ")).code == "body_too_large"


@pytest.mark.parametrize("media_type", ["text/plain", "application/xml", "", "application/jsonp"])
def test_other_content_type(server: Front, media_type: str) -> None:
    response = post(server, EMBED, b'{"text": "a"}', content_type=media_type)
    assert error_of(response).code == "unsupported_media_type"


def test_compressed_body(server: Front) -> None:
    response = post(server, EMBED, b"...", content_encoding="gzip")
    assert error_of(response).code == "unsupported_media_type"


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
def test_json_by_another_spelling(server: Front, media_type: str) -> None:
    response = post(server, EMBED, b'{"text": "a"}', content_type=media_type)
    assert response.status_code == httpx.codes.OK


@pytest.mark.parametrize("deadline", ["soon", "-1", "0", "nan", "inf", ""])
def test_wrong_deadline(server: Front, deadline: str) -> None:
    error = error_of(post(server, EMBED, b'{"text": "a"}', llmaas_deadline_ms=deadline))
    assert (error.code, error.param) == ("invalid_request", "llmaas-deadline-ms")


def test_deadline_that_is_over(server: Front) -> None:
    error = error_of(post(server, EMBED, b'{"text": "a"}', llmaas_deadline_ms="0.0001"))
    assert error.code == "deadline_exceeded"


def test_error_does_not_repeat_a_long_text(server: Front) -> None:
    response = post(server, EMBED, json.dumps({"text": ["a" * 100_000, 7]}).encode())
    assert len(response.content) < 2000
