"""The OpenAI wire on the socket: statuses, names of what is refused, pieces of streams.

What their clients make of it is in test_clients.
"""

from __future__ import annotations

import base64
import json
import struct
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorCode, ErrorDetail
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.compat.openai.fields import IGNORED, ONLY, REFUSED
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Call
from llmaas_server.settings import Settings
from support.front import Front, client, front

CHAT, EMBED = "smollm2-135m-instruct-q4_1", "all-minilm-l6-v2"
BAD = ERRORS["invalid_json"].status
SAY: list[dict[str, Any]] = [{"role": "user", "content": "one two three"}]
BODIES: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"model": CHAT, "messages": SAY},
    "/v1/completions": {"model": CHAT, "prompt": "one two three"},
    "/v1/embeddings": {"model": EMBED, "input": "one"},
    "/v1/responses": {"model": CHAT, "input": "one two three"},
    "/v1/decisions": {
        "model": EMBED,
        "input": "one",
        "questions": [{"type": "predicate", "instructions": "It is a number."}],
    },
}
STREAMED = ("/v1/chat/completions", "/v1/completions", "/v1/responses")


def post(there: Front, path: str, **fields: Any) -> httpx.Response:
    return there.http.post(path, json={**BODIES[path], **fields})


def error_of(response: httpx.Response) -> ErrorDetail:
    return ErrorBody.model_validate_json(response.content).error


def pieces(response: httpx.Response) -> list[dict[str, Any]]:
    """The data of a stream of theirs, without its end, which must be there."""
    assert response.headers["content-type"] == "text/event-stream"
    events = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert events[-1] == "[DONE]"
    return [json.loads(event) for event in events[:-1]]


# --- what is taken, and what is not -----------------------------------------------------------


@pytest.mark.parametrize("path", BODIES)
def test_the_least_is_answered(there: Front, path: str) -> None:
    response = post(there, path)
    assert response.status_code == httpx.codes.OK, response.text
    assert response.headers["x-request-id"].startswith("req_")


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", IGNORED)
def test_what_has_no_effect_is_taken(there: Front, path: str, name: str) -> None:
    assert post(there, path, **{name: "anything"}).status_code == httpx.codes.OK


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("name", [*REFUSED, *ONLY])
def test_what_would_change_the_answer_is_refused_by_name(
    there: Front, path: str, name: str
) -> None:
    if name in ("prompt", "include"):  # they mean something at one address
        return
    response = post(there, path, **{name: {"some": "thing"}})
    error = error_of(response)
    assert (response.status_code, error.code, error.param) == (BAD, "unsupported_parameter", name)
    assert name in error.message


@pytest.mark.parametrize("path", BODIES)
def test_values_that_change_nothing_are_taken(there: Front, path: str) -> None:
    fields = {name: values[0] for name, values in ONLY.items() if name != "include"}
    assert post(there, path, **fields).status_code == httpx.codes.OK
    assert post(there, path, **dict.fromkeys(ONLY)).status_code == httpx.codes.OK, "null is absent"


@pytest.mark.parametrize("path", BODIES)
def test_unknown_fields_are_refused_by_name(there: Front, path: str) -> None:
    response = post(there, path, nonsense=1)
    error = error_of(response)
    assert (response.status_code, error.code, error.param) == (BAD, "unknown_field", "nonsense")


@pytest.mark.parametrize(
    ("path", "fields", "code", "param"),
    [
        ("/v1/chat/completions", {"messages": []}, "invalid_request", "messages"),
        ("/v1/chat/completions", {"n": 99}, "invalid_request", "n"),
        ("/v1/chat/completions", {"top_logprobs": 1}, "invalid_request", "top_logprobs"),
        ("/v1/chat/completions", {"tool_choice": {"type": "x"}}, "invalid_request", None),
        ("/v1/chat/completions", {"reasoning_effort": "high"}, "invalid_request", None),
        ("/v1/chat/completions", {"model": "nothing"}, "model_not_found", "model"),
        ("/v1/completions", {"prompt": [1, 2]}, "unsupported_parameter", "prompt"),
        ("/v1/completions", {"prompt": ""}, "empty_text", "prompt"),
        ("/v1/completions", {"prompt": ["a"] * 200, "n": 2}, "invalid_request", "n"),
        ("/v1/embeddings", {"input": [[1, 2]]}, "unsupported_parameter", "input"),
        ("/v1/embeddings", {"encoding_format": "int8"}, "invalid_request", "encoding_format"),
        ("/v1/responses", {"input": []}, "invalid_request", "input"),
        ("/v1/responses", {"include": ["web_search_call.results"]}, "invalid_request", None),
        ("/v1/responses", {"reasoning": {"effort": "high"}}, "invalid_request", None),
        ("/v1/responses", {"n": 2}, "unknown_field", "n"),
        (
            "/v1/responses",
            {"input": [{"type": "item_reference", "id": "x"}]},
            "unsupported_parameter",
            None,
        ),
        (
            "/v1/responses",
            {"tools": [{"type": "web_search"}]},
            "unsupported_parameter",
            None,
        ),
        ("/v1/decisions", {"questions": []}, "invalid_request", "questions"),
    ],
)
def test_bad_input(there: Front, path: str, fields: Any, code: ErrorCode, param: Any) -> None:
    response = post(there, path, **fields)
    error = error_of(response)
    assert error.code == code, error
    ours = ERRORS[code].status
    assert response.status_code == (BAD if ours == ERRORS["invalid_request"].status else ours)
    assert response.headers["x-should-retry"] == "false"
    if param is not None:
        assert error.param == param


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image_url", "image_url": {"url": "https://example.org/a.png"}},
        {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}},
        {"type": "file", "file": {"file_id": "x"}},
    ],
)
def test_parts_that_are_no_text_are_refused_by_their_type(there: Front, part: Any) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "What is this?"}, part]}
    error = error_of(post(there, "/v1/chat/completions", messages=[message]))
    assert error.code == "unsupported_parameter"
    assert repr(part["type"]) in error.message
    item = {"role": "user", "content": [{**part, "type": "input_image"}]}
    assert "'input_image'" in error_of(post(there, "/v1/responses", input=[item])).message


# --- errors, as their clients tell them apart ---------------------------------------------------


def test_who_may_not(there: Front) -> None:
    path = "/v1/chat/completions"
    stranger = httpx.post(f"{there.url}{path}", json=BODIES[path])
    assert stranger.status_code == httpx.codes.UNAUTHORIZED
    made = there.manage.post("/v1/keys", json={"name": "e", "tasks": ["embed"]})
    with client(there.url, made.json()["secret"]) as http:
        assert http.post(path, json=BODIES[path]).status_code == httpx.codes.FORBIDDEN
        embedded = http.post("/v1/embeddings", json=BODIES["/v1/embeddings"])
        assert embedded.status_code == httpx.codes.OK
    assert there.manage.post(path, json=BODIES[path]).status_code == httpx.codes.FORBIDDEN


def test_limits_say_when_to_come_back(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, cache=tmp_path, backend="fake")) as there:
        asked = {"name": "slow", "limits": {"requests_per_minute": 1}}
        secret = there.manage.post("/v1/keys", json=asked).raise_for_status().json()["secret"]
        with client(there.url, secret) as http:
            path = "/v1/embeddings"
            assert http.post(path, json=BODIES[path]).status_code == httpx.codes.OK
            refused = http.post(path, json=BODIES[path])
    assert refused.status_code == httpx.codes.TOO_MANY_REQUESTS
    assert int(refused.headers["retry-after"]) > 0
    assert refused.headers["x-should-retry"] == "true"


class Failing(FakeBackend):
    """Ends each call after its second step."""

    def __init__(self) -> None:
        super().__init__(pace=self._fail)
        self._steps = 0

    async def _fail(self, call: Call) -> None:
        self._steps += 1
        if self._steps == 2:
            raise Problem("worker_lost")


@pytest.mark.parametrize("path", STREAMED)
def test_a_stream_that_fails_says_so_and_has_no_end(tmp_path: Path, path: str) -> None:
    with front(Settings(home=tmp_path, cache=tmp_path, backend="fake"), Failing()) as there:
        response = post(there, path, stream=True)
    assert response.status_code == httpx.codes.OK
    last = response.text.strip().split("\n\n")[-1].split("data: ")[1]
    assert json.loads(last)["error"]["code"] == "worker_lost"
    assert "[DONE]" not in response.text
    assert "response.completed" not in response.text


# --- the same way as every call -----------------------------------------------------------------


def test_calls_are_counted_and_billed(there: Front) -> None:
    def used() -> dict[str, int]:
        groups = there.manage.get("/v1/usage?by=task").json()["groups"]
        return {group["task"]: group["calls"] for group in groups}

    before = used()
    for path in BODIES:
        post(there, path)
        if path in STREAMED:
            assert post(there, path, stream=True).status_code == httpx.codes.OK
    grown = {task: calls - before.get(task, 0) for task, calls in used().items()}
    assert grown == {"chat": 4, "complete": 2, "embed": 1, "decide": 1}
    counted = there.manage.get("/metrics").text
    for path in BODIES:
        assert f'route="{path}"' in counted


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", STREAMED)
def test_one_key_one_answer(there: Front, path: str, stream: bool) -> None:
    """The same Idempotency-Key gives the same answer, whole or streamed."""
    headers = {"idempotency-key": f"again-{path}-{stream}"}
    body = {**BODIES[path], "stream": stream}
    first, second = (there.http.post(path, json=body, headers=headers) for _ in range(2))
    assert first.status_code == httpx.codes.OK
    assert first.content == second.content
    other = there.http.post(path, json={**body, "temperature": 0.5}, headers=headers)
    assert error_of(other).code == "conflict"


# --- chat ---------------------------------------------------------------------------------------


def test_a_streamed_chat_piece_by_piece(there: Front) -> None:
    options = {"stream": True, "logprobs": True, "top_logprobs": 1}
    told = pieces(post(there, "/v1/chat/completions", **options))
    choices = [piece["choices"][0] for piece in told]
    assert choices[0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert [choice["delta"] for choice in choices[1:]] == [
        {"content": "one "},
        {"content": "two "},
        {"content": "three"},
        {},
    ]
    assert [choice["finish_reason"] for choice in choices] == [None] * 4 + ["stop"]
    entry = choices[1]["logprobs"]["content"][0]
    assert (entry["token"], entry["bytes"]) == ("one ", list(b"one "))
    assert len(entry["top_logprobs"]) == 1
    assert {piece["object"] for piece in told} == {"chat.completion.chunk"}
    assert all("usage" not in piece for piece in told)


def test_usage_comes_last_and_only_where_asked_for(there: Front) -> None:
    told = pieces(
        post(there, "/v1/chat/completions", stream=True, stream_options={"include_usage": True})
    )
    assert [piece["usage"] for piece in told[:-1]] == [None] * (len(told) - 1)
    assert told[-1]["choices"] == []
    assert told[-1]["usage"]["total_tokens"] == 6


def test_reasoning_has_a_field_of_its_own(there: Front) -> None:
    messages = [{"role": "user", "content": "<think>let me see</think> good day"}]
    whole = post(there, "/v1/chat/completions", messages=messages).json()
    message = whole["choices"][0]["message"]
    assert (message["reasoning_content"], message["content"]) == ("let me see", "good day")
    assert whole["usage"]["completion_tokens_details"]["reasoning_tokens"] is None
    told = pieces(post(there, "/v1/chat/completions", messages=messages, stream=True))
    deltas = [piece["choices"][0]["delta"] for piece in told]
    assert "".join(delta.get("reasoning_content", "") for delta in deltas) == "let me see"
    off = post(there, "/v1/chat/completions", messages=messages, reasoning_effort="none").json()
    assert off["choices"][0]["message"]["reasoning_content"] is None


def test_what_comes_back_can_be_sent_again(there: Front) -> None:
    """The message of an answer, with all its fields, is one of a conversation."""
    message = post(there, "/v1/chat/completions").json()["choices"][0]["message"]
    more = [*SAY, message, {"role": "user", "content": "and more"}]
    assert post(there, "/v1/chat/completions", messages=more).status_code == httpx.codes.OK


def test_arguments_that_are_no_json_are_named(there: Front) -> None:
    call = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{"}}
    messages = [*SAY, {"role": "assistant", "content": None, "tool_calls": [call]}]
    error = error_of(post(there, "/v1/chat/completions", messages=messages))
    assert error.param == "messages.1.tool_calls.0.function.arguments"


# --- completions, embeddings --------------------------------------------------------------------


def test_completions_are_numbered_by_text_and_then_by_n(there: Front) -> None:
    whole = post(there, "/v1/completions", prompt=["a b", "c d"], n=2, logprobs=1).json()
    assert [(one["index"], one["text"]) for one in whole["choices"]] == [
        (0, "a b"),
        (1, "b a"),
        (2, "c d"),
        (3, "d c"),
    ]
    assert whole["choices"][0]["logprobs"]["text_offset"] == [0, 2]
    told = pieces(post(there, "/v1/completions", prompt=["a b", "c d"], n=2, stream=True))
    said = dict.fromkeys(range(4), "")
    for piece in told:
        said[piece["choices"][0]["index"]] += piece["choices"][0]["text"]
    assert list(said.values()) == [one["text"] for one in whole["choices"]]


def test_they_stop_after_sixteen_tokens_as_theirs_do(there: Front) -> None:
    whole = post(there, "/v1/completions", prompt=" ".join("abcdefghijklmnopqrstuvwxyz")).json()
    assert whole["usage"]["completion_tokens"] == 16
    assert whole["choices"][0]["finish_reason"] == "length"


def test_vectors_as_numbers_and_as_bytes(there: Front) -> None:
    numbers = post(there, "/v1/embeddings", input=["one", "two"]).json()["data"]
    packed = post(there, "/v1/embeddings", input=["one", "two"], encoding_format="base64").json()
    assert [one["index"] for one in numbers] == [0, 1]
    for one, other in zip(numbers, packed["data"], strict=True):
        content = base64.b64decode(other["embedding"])
        assert list(struct.unpack("<16f", content)) == pytest.approx(one["embedding"])
