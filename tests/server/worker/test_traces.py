"""What the real runtime does for a call is in the trace of its request."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_server.errors import model_not_found
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import ModelRef
from llmaas_server.settings import Settings
from support import tiny
from support.front import eventually
from support.traces import Node, Traced, traced

SENTENCES = " ".join(f"Number {number} is one of the sentences." for number in range(12))


class Shelf:
    """Two tiny models."""

    def __init__(self, folder: Path) -> None:
        refs = [tiny.llama(folder / "decoder"), tiny.embedder(folder / "embedder")]
        self.refs = {ref.name: ref for ref in refs}

    def ref(self, name: str) -> ModelRef:
        if name not in self.refs:
            raise model_not_found(name, self.refs)
        return self.refs[name]

    def installed(self) -> list[InstalledModel]:
        return []


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traced]:
    folder = tmp_path_factory.mktemp("traced")
    shelf = Shelf(folder)
    decoder, embedder = shelf.refs
    settings = Settings(
        home=folder / "home",
        cache=folder / "cache",
        device="cpu",
        threads=1,
        chat_model=decoder,
        summarize_model=embedder,
        embed_model=embedder,
    )
    with traced(settings, store=shelf) as running:
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
