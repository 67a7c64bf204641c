"""A request becomes a trace: which spans, what they say, and what they never say."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from support.front import eventually
from support.traces import Traced, traced_fake

CANARY = "zyzzyva-4127"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"

CHAT = {"messages": [{"role": "user", "content": CANARY}], "stop": [CANARY], "max_tokens": 50}
REQUESTS: list[tuple[str, dict[str, Any], str, str]] = [
    ("/v1/tasks/chat", CHAT, "chat", "smollm2-135m-instruct-q4_1"),
    ("/v1/tasks/classify", {"text": CANARY, "labels": [CANARY, "b"]}, "classify",
     "all-minilm-l6-v2"),
    ("/v1/tasks/summarize", {"text": f"{CANARY} is one. And two."}, "summarize",
     "all-minilm-l6-v2"),
    ("/v1/tasks/embed", {"text": [CANARY]}, "embeddings", "all-minilm-l6-v2"),
    ("/v1/chat/completions", {"model": "smollm2-135m-instruct-q4_1", **CHAT}, "chat",
     "smollm2-135m-instruct-q4_1"),
    ("/v1/completions", {"model": "smollm2-135m-instruct-q4_1", "prompt": CANARY},
     "text_completion", "smollm2-135m-instruct-q4_1"),
    ("/hf/feature-extraction", {"inputs": CANARY}, "embeddings", "all-minilm-l6-v2"),
]  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    with traced_fake(tmp_path_factory.mktemp("home")) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: Traced) -> None:
    server.clear()


def outside(flags: str = "01") -> dict[str, str]:
    return {"traceparent": f"00-{TRACE}-{SPAN}-{flags}"}


@pytest.mark.parametrize(("path", "body", "operation", "model"), REQUESTS)
def test_a_call_is_a_tree_of_spans(
    server: Traced, path: str, body: dict[str, Any], operation: str, model: str
) -> None:
    answer = server.front.http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    request = server.trace()
    call = f"{operation} {model}"
    assert request.outline() == {f"POST {path}": [{call: ["measure", "reserve", "settle"]}]}
    assert request.attributes == {
        "http.request.method": "POST",
        "http.route": path,
        "http.response.status_code": 200,
        "llmaas.request.id": answer.headers["x-request-id"],
    }
    told = request.at(call).attributes
    assert told["gen_ai.operation.name"] == operation
    assert told["gen_ai.provider.name"] == "llmaas"
    assert told["gen_ai.request.model"] == model
    assert told["gen_ai.response.model"] == "fake"
    assert told["gen_ai.response.id"] == answer.headers["x-request-id"]
    assert told["gen_ai.usage.input_tokens"] > 0


def test_what_a_chat_says(server: Traced) -> None:
    answer = server.front.http.post("/v1/tasks/chat", json={**CHAT, "temperature": 0.5, "seed": 7})
    told = server.trace().below[0].attributes
    usage = answer.json()["usage"]
    assert told["gen_ai.request.max_tokens"] == 50
    assert told["gen_ai.request.temperature"] == 0.5
    assert told["gen_ai.request.seed"] == 7
    assert told["gen_ai.request.stream"] is False
    assert told["gen_ai.output.type"] == "text"
    assert told["gen_ai.response.finish_reasons"] == (answer.json()["finish_reason"],)
    assert told["gen_ai.usage.input_tokens"] == usage["prompt_tokens"]
    assert told["gen_ai.usage.output_tokens"] == usage["completion_tokens"]
    assert told["llmaas.model.chosen_by"] == "default"


def test_nothing_that_was_written_is_said(server: Traced) -> None:
    for path, body, _, _ in REQUESTS:
        server.front.http.post(path, json=body)
    server.front.http.post("/v1/tasks/chat", json={**CHAT, "model": CANARY})
    server.front.http.get(f"/v1/models/{CANARY}?q={CANARY}")
    assert len(server.spans()) > len(REQUESTS)
    assert [span for span in server.spans() if CANARY in span.to_json()] == []
    key = server.front.key
    assert [span for span in server.spans() if key in span.to_json()] == []


def test_a_trace_from_outside_goes_on(server: Traced) -> None:
    server.front.http.post("/v1/tasks/chat", json=CHAT, headers=outside())
    root = server.trace().span
    assert root.parent is not None
    assert f"{root.parent.span_id:016x}" == SPAN
    assert {f"{span.context.trace_id:032x}" for span in server.spans() if span.context} == {TRACE}


@pytest.mark.parametrize("wrong", ["", "00", f"00-{'0' * 32}-{SPAN}-01", "00-xyz-1-01", "é" * 40])
def test_what_is_no_traceparent_begins_a_new_trace(server: Traced, wrong: str) -> None:
    headers = {b"traceparent": wrong.encode()}
    answer = server.front.http.post("/v1/tasks/chat", json=CHAT, headers=headers)
    assert answer.status_code == 200
    assert server.trace().span.parent is None


def test_a_trace_that_is_not_sampled_costs_nothing(server: Traced) -> None:
    server.front.http.post("/v1/tasks/chat", json=CHAT, headers=outside("00"))
    server.front.http.post("/v1/tasks/embed", json={"text": "a"})
    request = server.trace()  # of the second alone
    assert request.name == "POST /v1/tasks/embed"
    assert f"{request.span.context.trace_id:032x}" != TRACE if request.span.context else False


def test_a_refusal_has_no_call(server: Traced) -> None:
    server.front.http.post("/v1/tasks/chat", json={**CHAT, "model": "nobody"})
    request = server.trace()
    assert request.outline() == "POST /v1/tasks/chat"
    assert request.attributes["http.response.status_code"] == 404
    assert request.span.status.status_code.name == "UNSET"  # a caller's fault is none of ours


def test_a_call_that_fails_says_the_code(server: Traced) -> None:
    long = {"messages": [{"role": "user", "content": "word " * 20_000}]}
    answer = server.front.http.post("/v1/tasks/chat", json=long)
    assert answer.json()["error"]["code"] == "context_overflow"
    call = server.trace().below[0]
    assert call.outline() == {"chat smollm2-135m-instruct-q4_1": ["measure"]}
    for span in (call, call.at("measure")):
        assert span.attributes["error.type"] == "context_overflow"
        assert span.span.status.status_code.name == "ERROR"
        assert span.span.status.description is None
        assert span.span.events == ()


def test_a_caller_who_goes_away_is_no_error(server: Traced) -> None:
    asked = {"messages": [{"role": "user", "content": "w " * 2000}], "stream": True}
    with server.front.http.stream("POST", "/v1/tasks/chat", json=asked) as answer:
        next(answer.iter_bytes())
    eventually(lambda: len(server.spans()) >= 4, "the spans of the call are over")
    call = server.trace().below[0]
    assert call.attributes["error.type"] == "cancelled"
    assert call.span.status.status_code.name == "UNSET"
    assert call.attributes["gen_ai.usage.input_tokens"] > 0


def test_strangers_and_those_who_watch(server: Traced) -> None:
    for path in ("/health/live", "/health/ready", "/metrics"):
        server.front.manage.get(path)
    assert server.spans() == ()
    server.front.http.get("/v1/models", headers={"authorization": "Bearer nonsense"})
    request = server.trace()
    assert request.name == "GET"  # what is there, strangers do not learn: nor does a trace say it
    assert "http.route" not in request.attributes
    assert request.attributes["http.response.status_code"] == 401


def test_the_service_is_named(server: Traced) -> None:
    server.front.http.get("/v1/models")
    resource = server.trace().span.resource.attributes
    assert (resource["service.name"], resource["service.version"]) == ("llmaas", "1.2.3")


def test_the_log_names_the_trace(server: Traced, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "llmaas.access")
    server.front.http.get("/v1/models", headers=outside())
    server.trace()
    (line,) = (one for one in caplog.records if one.name == "llmaas.access")
    assert line.getMessage().endswith(f"trace={TRACE}")
