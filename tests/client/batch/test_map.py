"""Maps through both clients, against a server on a real socket."""

from __future__ import annotations

import asyncio
import pickle
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from llmaas_client import AsyncClient, Client, errors
from llmaas_client.batch.progress import MapProgress
from support.clients import KINDS, Kind, StillClock
from support.http_server import Exchange, serving
from support.mapping import TaskServer, refusal, run_imap, run_map, texts_of

TEXTS = [f"{'good' if n % 3 else 'bad'} text {n}" for n in range(100)]
LABELS = ["positive", "negative"]


@pytest.mark.parametrize("kind", KINDS)
def test_values_come_in_the_order_of_the_inputs(kind: Kind) -> None:
    with serving((tasks := TaskServer()).answer) as server:
        out = run_map(kind, server.url, "classify", TEXTS, labels=LABELS)
    assert [answer.label for answer in out] == [
        "positive" if "good" in text else "negative" for text in TEXTS
    ]
    assert sorted(tasks.texts) == sorted(TEXTS)
    assert tasks.requests == out.requests == 4, "texts go out in batches"
    assert (len(out), out[0].label, out[-1].label) == (100, "negative", "negative")
    assert out.usage.prompt_tokens == 20
    assert str(out.cost) == "0.004"
    assert out.is_whole
    assert not out.errors


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("task", "arguments", "show"),
    [
        ("embed", {}, lambda value: value == [1.0]),
        ("summarize", {"max_words": 5}, lambda value: value.summary == "Short x."),
        ("chat", {"system": "Be brief."}, lambda value: value.text == "You said x"),
    ],
)
def test_every_task(kind: Kind, task: str, arguments: Any, show: Any) -> None:
    with serving(TaskServer().answer) as server:
        out = run_map(kind, server.url, task, ["x", "x", "x"], **arguments)
        assert [show(value) for value in out] == [True] * 3
        assert out.to_columns()
        assert [show(item.value) for item in run_imap(kind, server.url, task, ["x"] * 3)]


def numbers() -> Iterator[str]:
    yield from TEXTS


async def later() -> AsyncIterator[str]:
    for text in TEXTS:
        await asyncio.sleep(0)
        yield text


class Column:
    """What a map sees of a column of pandas or polars: an iterable that is no list."""

    def __iter__(self) -> Iterator[str]:
        return iter(TEXTS)

    def __len__(self) -> int:
        return len(TEXTS)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("inputs", [tuple(TEXTS), numbers, Column()])
def test_whatever_can_be_iterated_over(kind: Kind, inputs: Any) -> None:
    with serving(TaskServer().answer) as server:
        given = inputs() if callable(inputs) else inputs
        out = run_map(kind, server.url, "classify", given, labels=LABELS)
    assert [item.input for item in out.items] == TEXTS


def test_async_inputs() -> None:
    with serving(TaskServer().answer) as server:
        out = run_map("async", server.url, "classify", later(), labels=LABELS)
    assert [item.input for item in out.items] == TEXTS


class Table:
    columns = ["text"]

    def __iter__(self) -> Iterator[str]:
        return iter(self.columns)


@pytest.mark.parametrize(
    ("inputs", "said"),
    [
        ("one text", "for one, call"),
        ({"a": "b"}, "not a dict"),
        (b"x", "not a bytes"),
        (7, "not a int"),
        (Table(), "a column, not a table"),
    ],
)
def test_refuses_what_is_not_many_inputs(inputs: Any, said: str) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(TypeError, match=said):
        client.classify.map(inputs, labels=LABELS)


@pytest.mark.parametrize("options", [{"concurrency": 0}, {"batch_size": 0}, {"on_error": "drop"}])
def test_refuses_options_that_cannot_be(options: Any) -> None:
    with Client("http://127.0.0.1:9") as client, pytest.raises(ValueError, match="is "):
        client.classify.map(TEXTS, labels=LABELS, **options)


def test_arguments_are_checked_before_anything_is_read_or_sent() -> None:
    def unread() -> Iterator[str]:
        raise AssertionError("the inputs were read")
        yield ""

    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(TypeError, match="'label'"):
            client.classify.map(unread(), label=LABELS)
        with pytest.raises(errors.TooFewLabels):
            client.classify.map(unread(), labels=["one"])


@pytest.mark.parametrize("kind", KINDS)
def test_no_inputs(kind: Kind) -> None:
    with serving(TaskServer().answer) as server:
        assert list(run_map(kind, server.url, "embed", [])) == []
        assert not server.requests


def test_imap_hands_out_in_order_or_as_it_comes() -> None:
    first_is_in, second_is_done = threading.Event(), threading.Event()

    def hold(texts: list[str]) -> None:
        if texts == ["slow"]:
            first_is_in.set()
            assert second_is_done.wait(10)

    with serving(TaskServer(wait=hold).answer) as server, Client(server.url) as client:
        found = client.chat.imap(["slow", "quick"], ordered=False)
        item = next(found)
        assert (item.index, item.input) == (1, "quick")
        second_is_done.set()
        assert next(found).index == 0
        assert next(found, None) is None
        assert first_is_in.is_set()
        ordered = client.chat.imap(["slow", "quick"])
        assert [item.input for item in ordered] == ["slow", "quick"]


def test_imap_takes_inputs_when_it_needs_them() -> None:
    taken = []

    def endless() -> Iterator[str]:
        number = 0
        while True:
            taken.append(number)
            yield f"text {number}"
            number += 1

    with serving(TaskServer().answer) as server, Client(server.url) as client:
        found = client.chat.imap(endless(), concurrency=2)
        assert [next(found).index for _ in range(5)] == [0, 1, 2, 3, 4]
        assert len(taken) < 20
        found.close()


def test_inputs_that_come_slowly_do_not_hold_up_what_is_done() -> None:
    """An async source that waits for the answer to what it gave before."""

    async def main(url: str) -> list[str]:
        answered = asyncio.Event()

        async def source() -> AsyncIterator[str]:
            yield "one"
            await asyncio.wait_for(answered.wait(), 10)
            yield "two"

        seen = []
        async with AsyncClient(url) as client:
            async for item in client.classify.imap(source(), labels=LABELS):
                seen.append(item.input)
                answered.set()
        return seen

    with serving(TaskServer().answer) as server:
        assert asyncio.run(main(server.url)) == ["one", "two"]


def poisoned(exchange: Exchange, number: int) -> bool:
    bad = [at for at, text in enumerate(texts_of(exchange)) if "poison" in text]
    return bool(bad) and refusal(exchange, "context_overflow", "422 No", param=f"text.{bad[0]}")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bad", ["", "poison", None])
def test_one_bad_input_costs_no_other(kind: Kind, bad: Any) -> None:
    inputs = [*TEXTS[:10], bad, *TEXTS[10:20]]
    with serving((tasks := TaskServer(refuse=poisoned)).answer) as server:
        out = run_map(kind, server.url, "classify", inputs, labels=LABELS, on_error="return")
        skipped = run_map(kind, server.url, "classify", inputs, labels=LABELS, on_error="skip")
        with pytest.raises(errors.InvalidRequest) as caught:
            run_map(kind, server.url, "classify", inputs, labels=LABELS)
    assert isinstance(out[10], errors.InvalidRequest)
    assert list(out.errors) == [10]
    assert out[11].label
    assert len(out) == 21
    assert len(skipped) == 20
    assert skipped.indices == [n for n in range(21) if n != 10]
    assert list(skipped.errors) == [10]
    assert sorted(tasks.texts)[-1] != "poison"
    assert caught.value.results is not None
    assert "error" in out.to_columns()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("code", "status"), [("invalid_key", "401 Who"), ("model_not_found", "404 Where")]
)
def test_what_the_next_input_would_meet_too_ends_the_map(
    kind: Kind, code: Any, status: str
) -> None:
    tasks = TaskServer(refuse=lambda exchange, _: refusal(exchange, code, status))
    with serving(tasks.answer) as server, pytest.raises(errors.LLMaaSError) as caught:
        run_map(kind, server.url, "chat", TEXTS, on_error="return", concurrency=1)
    assert caught.value.code == code
    assert tasks.requests == 1


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_done_before_an_error_is_not_lost(kind: Kind) -> None:
    tasks = TaskServer(refuse=poisoned)
    with serving(tasks.answer) as server, pytest.raises(errors.ContextOverflow) as caught:
        run_map(kind, server.url, "chat", ["a", "b", "poison", "c"], concurrency=1)
    results = caught.value.results
    assert results is not None
    assert [value.text for value in results] == ["You said a", "You said b"]
    assert not results.is_whole
    again = pickle.loads(pickle.dumps(caught.value))
    assert [value.text for value in again.results] == ["You said a", "You said b"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_busy_server_is_asked_again_when_it_says(kind: Kind) -> None:
    clock = StillClock()
    tasks = TaskServer(
        refuse=lambda exchange, number: (
            number in (2, 3) and refusal(exchange, "rate_limited", "429 Wait", after=7)
        )
    )
    with serving(tasks.answer) as server:
        out = run_map(kind, server.url, "chat", TEXTS[:4], concurrency=1, client={"clock": clock})
        keys = [request.headers["idempotency-key"] for request in server.requests]
    assert out.is_whole
    assert out.retries == 2
    assert clock.slept == [7.0, 7.0]
    assert len(set(keys)) == 4, "one request keeps its key"


@pytest.mark.parametrize("kind", KINDS)
def test_a_server_that_only_refuses_ends_the_map(kind: Kind) -> None:
    clock = StillClock()
    tasks = TaskServer(refuse=lambda exchange, _: refusal(exchange, "overloaded"))
    with serving(tasks.answer) as server, pytest.raises(errors.Overloaded):
        run_map(
            kind, server.url, "chat", TEXTS, on_error="skip", concurrency=1, client={"clock": clock}
        )
    assert 5 < tasks.requests <= 10
    assert sum(clock.slept) > 20


def test_nobody_listens() -> None:
    clock = StillClock()
    with (
        Client("http://127.0.0.1:9", clock=clock) as client,
        pytest.raises(errors.ConnectionFailed, match="nothing listens"),
    ):
        client.chat.map(TEXTS, on_error="return")


@pytest.mark.parametrize("kind", KINDS)
def test_more_at_once_while_the_server_is_glad(kind: Kind) -> None:
    tasks = TaskServer()
    with serving(tasks.answer) as server:
        run_map(kind, server.url, "chat", TEXTS * 3)
        busy = TaskServer(queue_ms=5_000.0)
        server.handler = busy.answer
        run_map(kind, server.url, "chat", TEXTS)
    assert tasks.most_at_once <= 32
    assert busy.most_at_once <= 4


@pytest.mark.parametrize("kind", KINDS)
def test_concurrency_is_kept_to(kind: Kind) -> None:
    together = threading.Barrier(3, timeout=10)

    def meet(texts: list[str]) -> None:
        together.wait()

    tasks = TaskServer(wait=meet)
    with serving(tasks.answer) as server:
        run_map(kind, server.url, "chat", TEXTS[:9], concurrency=3)
    assert tasks.most_at_once == 3


def test_progress_and_the_meter() -> None:
    seen: list[MapProgress] = []
    with (
        serving(TaskServer().answer) as server,
        Client(server.url) as client,
        client.meter() as meter,
    ):
        client.chat.map(TEXTS[:6], progress=seen.append)
    assert [progress.done for progress in seen][-1] == 6
    assert all(progress.total == 6 for progress in seen)
    assert seen[-1].rate > 0
    assert "6 of 6 (100%)" in str(seen[-1])
    assert (meter.calls, meter.by_task["chat"].calls) == (6, 6)


def test_defaults_of_the_client_hold() -> None:
    with serving((TaskServer()).answer) as server, Client(server.url) as client:
        client.using(labels=LABELS, model="m").classify.map(["x"])
        assert server.requests[0].json == {"text": ["x"], "labels": LABELS, "model": "m"}


def test_columns_of_pandas() -> None:
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    table = pandas.DataFrame({"text": ["good", "bad", "good"]}, index=[7, 3, 5])
    with serving(TaskServer().answer) as server, Client(server.url) as client:
        out = client.classify.map(table["text"], labels=LABELS)
        joined = table.join(out.to_pandas())
        assert list(joined["label"]) == ["positive", "negative", "positive"]
        assert list(joined.index) == [7, 3, 5]
        holes = pandas.Series(["good", None, float("nan"), "bad"], index=list("abcd"))
        some = client.classify.map(holes, labels=LABELS, on_error="skip")
        assert list(some.to_pandas().index) == ["a", "d"]
        assert list(some.errors) == [1, 2]
        with pytest.raises(TypeError, match="a column, not a table"):
            client.classify.map(table, labels=LABELS)


def test_columns_of_polars() -> None:
    polars = pytest.importorskip("polars", reason="polars is not installed")
    table = polars.DataFrame({"text": ["good", "bad"]})
    with serving(TaskServer().answer) as server, Client(server.url) as client:
        out = client.classify.map(table["text"], labels=LABELS)
        assert out.to_polars()["label"].to_list() == LABELS
        assert client.embed.map(table["text"]).to_polars()["embedding"].to_list() == [[4.0], [3.0]]
        with pytest.raises(TypeError, match="a column, not a table"):
            client.classify.map(table, labels=LABELS)


def test_tables_without_a_library_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with serving(TaskServer().answer) as server, Client(server.url) as client:
        out = client.classify.map(["good"], labels=LABELS)
    assert out.to_columns()["score of positive"] == [0.9]
    with pytest.raises(errors.ConfigurationError, match="pip install pandas"):
        out.to_pandas()
