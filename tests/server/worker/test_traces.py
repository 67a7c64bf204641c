"""What the real runtime does for a call is in the trace of its request."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.front import eventually
from support.shelves import TinyShelf
from support.traces import Node, Traced, traced

SENTENCES = " ".join(f"Number {number} is one of the sentences." for number in range(12))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    shelf = TinyShelf(tmp_path_factory.mktemp("traced"))
    with traced(shelf.settings(), store=shelf) as running:
        yield running


@pytest.fixture(autouse=True)
def _fresh(server: Traced) -> None:
    server.clear()


def check_times(node: Node) -> None:
    """What is below a span lies within it, within what clocks of two processes differ."""
    slack = 50_000_000
    start, end = node.span.start_time or 0, node.span.end_time or 0
    assert start <= end
    for one in node.below:
        assert start - slack <= (one.span.start_time or 0)
        assert (one.span.end_time or 0) <= end + slack
        check_times(one)


def test_a_chat(server: Traced) -> None:
    body = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 6, "seed": 1}
    answer = server.front.http.post("/v1/tasks/chat", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    request = server.trace()
    (call,) = request.below
    assert [one.outline() for one in call.below] == [
        {"measure": ["load", "tokenize"]},
        "reserve",
        {"generate": ["queue", "prefill", "decode"]},
        "settle",
    ]
    usage = answer.json()["usage"]
    work = call.at("generate").attributes
    assert work["llmaas.tokens"] == usage["prompt_tokens"]
    assert work["llmaas.tokens.cached"] == usage["cached_tokens"]
    assert usage["completion_tokens"] - 1 <= work["llmaas.tokens.generated"] <= 6
    check_times(request)


def test_a_summary_shows_each_piece_of_its_work(server: Traced) -> None:
    body = {"text": SENTENCES, "method": "extractive", "max_words": 20}
    answer = server.front.http.post("/v1/tasks/summarize", json=body, timeout=120)
    assert answer.status_code == 200, answer.text
    request = server.trace()
    pieces = [one for one in request.below[0].below if one.name == "embed"]
    assert pieces
    assert all([part.name for part in one.below] == ["queue", "compute"] for one in pieces)
    assert sum(one.attributes["llmaas.sequences"] for one in pieces) >= 12
    check_times(request)


def test_a_chat_that_is_stopped_says_what_it_did(server: Traced) -> None:
    body = {
        "messages": [{"role": "user", "content": "Hello"}],
        "max_tokens": 1500,
        "temperature": 2.0,
        "stream": True,
    }
    with server.front.http.stream("POST", "/v1/tasks/chat", json=body, timeout=120) as answer:
        for line in answer.iter_lines():
            if line.startswith("event: delta"):
                break
    eventually(lambda: any(one.name == "decode" for one in server.spans()), "the work is told of")
    call = server.trace().below[0]
    assert call.attributes["error.type"] == "cancelled"
    work = call.at("generate").attributes
    assert 0 < work["llmaas.tokens.generated"] < 1500


def test_calls_that_nobody_traces_say_nothing(server: Traced) -> None:
    not_sampled = {"traceparent": f"00-{'a' * 32}-{'b' * 16}-00"}
    body = {"text": ["one", "two"]}
    answer = server.front.http.post("/v1/tasks/embed", json=body, headers=not_sampled)
    assert answer.status_code == 200
    assert server.spans() == ()
