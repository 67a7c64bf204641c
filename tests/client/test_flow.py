"""The flow by itself: steps out, replies in, no connection anywhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import errors
from llmaas_client.clock import Deadline
from llmaas_client.config import Address, Config
from llmaas_client.flow import DRAIN_SECONDS, Exchange
from llmaas_client.reply import ChatReply
from llmaas_client.retry import RetryPolicy
from llmaas_client.steps import (
    Broken,
    Call,
    Drop,
    Emit,
    Head,
    Read,
    Reply,
    Send,
    Sleep,
    Step,
)
from llmaas_client.tasks.chat_request import chat_call
from llmaas_client.wire import sse
from llmaas_client.wire.events import Delta, Progress, Start
from support import answers
from support.clients import StillClock

CALL: Call[ChatReply[Any]] = chat_call("Hello", {})
OK = Head(200, True, {"content-type": "application/json"})
STREAM = Head(200, True, {"content-type": "text/event-stream; charset=utf-8"})
REFUSED = Broken("connect", "connect", "connection refused", refused=True)


def refusal(code: Any, **more: Any) -> list[Reply]:
    headers = {"retry-after": str(more.pop("header"))} if "header" in more else {}
    return [Head(503, False, headers), dump(answers.error(code, **more)), b""]


def dump(value: Any) -> bytes:
    return json.dumps(value).encode()


def event(name: str, data: Any) -> bytes:
    return sse.encode(name, json.dumps(data))


class Play:
    """Runs a flow against replies written down beforehand, and keeps its steps."""

    def __init__(self, timeout: float | None = 60.0, key: str | None = "key-1") -> None:
        self.clock = StillClock()
        self.exchange = Exchange(
            config=Config(Address.parse("http://127.0.0.1:8000"), Path("/nowhere"), key),
            policy=RetryPolicy(2),
            clock=self.clock,
            deadline=Deadline.after(timeout, self.clock),
            idempotency_key="once",
        )
        self.steps: list[Step] = []
        self.seconds_per_read = 0.0

    def run(self, *replies: Reply, stream: bool = False, call: Any = CALL) -> Any:
        left: Iterator[Reply] = iter(replies)
        flow = self.exchange.run(call, stream=stream)
        reply: Reply = None
        try:
            while True:
                step = flow.send(reply)
                self.steps.append(step)
                match step:
                    case Emit() | Drop():
                        reply = None
                    case Sleep():
                        self.clock.sleep(step.seconds)
                        reply = None
                    case Read():
                        self.clock.time += self.seconds_per_read
                        reply = next(left)
                    case Send():
                        reply = next(left)
        except StopIteration as end:
            assert next(left, "none") == "none", "replies were left over"
            return end.value

    @property
    def sends(self) -> list[Send]:
        return [step for step in self.steps if isinstance(step, Send)]

    @property
    def events(self) -> list[Any]:
        return [step.event for step in self.steps if isinstance(step, Emit)]


def test_sends_and_reads_to_the_end() -> None:
    play = Play()
    body = dump(answers.chat("Hi"))
    result = play.run(OK, body[:10], body[10:], b"")
    assert result.text == "Hi"
    send = play.sends[0]
    assert (send.method, send.url) == ("POST", "http://127.0.0.1:8000/v1/tasks/chat")
    assert json.loads(send.body) == {"messages": [{"role": "user", "content": "Hello"}]}
    assert send.headers == {
        "accept": "application/json",
        "content-type": "application/json",
        "authorization": "Bearer key-1",
        "idempotency-key": "once",
        "llmaas-deadline-ms": "60000",
    }


def test_without_a_key_or_a_limit_there_are_no_such_headers() -> None:
    play = Play(timeout=None, key=None)
    play.run(OK, dump(answers.chat()), b"")
    assert not {"authorization", "llmaas-deadline-ms"} & set(play.sends[0].headers)


@pytest.mark.parametrize(
    "failure",
    [
        [REFUSED],
        refusal("overloaded"),
        refusal("starting"),
        refusal("rate_limited"),
        refusal("worker_lost"),
        [Head(503, False, {}), b"<html>busy</html>", b""],
    ],
)
def test_tries_again_where_that_is_safe(failure: list[Reply]) -> None:
    play = Play()
    play.clock.luck = 0.5
    assert play.run(*failure, *failure, OK, dump(answers.chat("Hi")), b"").text == "Hi"
    assert play.clock.slept == [0.25, 0.5]
    assert {send.headers["idempotency-key"] for send in play.sends} == {"once"}
    assert [send.headers["llmaas-deadline-ms"] for send in play.sends] == [
        "60000",
        "59750",
        "59250",
    ]


@pytest.mark.parametrize(
    ("replies", "cls"),
    [
        ([Broken("timeout", "answer")], errors.DeadlineExceeded),
        ([Broken("timeout", "connect")], errors.DeadlineExceeded),
        ([Broken("lost", "answer", "reset")], errors.ConnectionFailed),
        ([Broken("garbled", "answer", "no HTTP")], errors.UnexpectedResponse),
        ([OK, b"{", Broken("lost", "body", "reset")], errors.ConnectionFailed),
        ([OK, b"{", Broken("timeout", "body")], errors.DeadlineExceeded),
        ([OK, b"{}", b""], errors.UnexpectedResponse),
        ([OK, b"<html>", b""], errors.UnexpectedResponse),
        (refusal("context_overflow"), errors.ContextOverflow),
        (refusal("out_of_memory"), errors.OutOfMemory),
        (refusal("deadline_exceeded"), errors.DeadlineExceeded),
        (refusal("internal_error"), errors.InternalError),
        (refusal("missing_key"), errors.MissingKey),
    ],
)
def test_does_not_try_again_where_it_may_do_harm(
    replies: list[Reply], cls: type[errors.LLMaaSError]
) -> None:
    play = Play()
    with pytest.raises(cls) as caught:
        play.run(*replies)
    assert type(caught.value) is cls
    assert len(play.sends) == 1
    assert caught.value.attempts == 1


def test_says_how_often_it_tried() -> None:
    with pytest.raises(errors.ConnectionFailed) as caught:
        Play().run(REFUSED, REFUSED, REFUSED)
    assert caught.value.attempts == 3
    assert str(caught.value) == (
        "nothing listens on http://127.0.0.1:8000: start the server with: llmaas serve"
    )


@pytest.mark.parametrize("asked", [{"header": 30}, {"retry_after": 30.0}])
def test_retry_after_is_kept_to_or_raised_at_once(asked: dict[str, Any]) -> None:
    play = Play(timeout=31)
    play.run(*refusal("rate_limited", **asked), OK, dump(answers.chat()), b"")
    assert play.clock.slept == [30.0]

    play = Play(timeout=29)
    with pytest.raises(errors.RateLimited) as caught:
        play.run(*refusal("rate_limited", **asked))
    assert caught.value.retry_after == 30.0
    assert play.clock.slept == []


def test_the_phase_says_where_the_time_went() -> None:
    with pytest.raises(errors.DeadlineExceeded, match="timeout=60 seconds") as caught:
        Play().run(OK, Broken("timeout", "body"))
    assert caught.value.phase == "body"


def test_checks_before_it_sends() -> None:
    play = Play()
    with pytest.raises(errors.EmptyText) as caught:
        play.run(call=chat_call(" ", {}))
    assert caught.value.param == "messages.0.content"
    with pytest.raises(errors.InvalidText):
        play.run(call=chat_call("x", {"model": "\ud800"}))
    with pytest.raises(errors.InvalidRequest, match="system"):
        play.run(call=chat_call([{"role": "system", "content": "a"}], {"system": "b"}))
    assert play.steps == []


def test_a_redirect_is_not_followed() -> None:
    head = Head(307, False, {"location": "http://elsewhere/"})
    with pytest.raises(errors.UnexpectedResponse, match="http://elsewhere/"):
        Play().run(head, b"")


START = event("start", answers.START)
DONE = event("done", answers.chat("Hello"))


def deltas(*texts: str) -> bytes:
    return b"".join(event("delta", {"text": text}) for text in texts)


def test_streams_events_then_the_result() -> None:
    play = Play()
    progress = event("progress", {"stage": "read", "done": 1, "total": 2})
    newer = event("of_later_years", {"x": 1})
    result = play.run(STREAM, START, progress + newer, deltas("Hel", "lo") + DONE, b"", stream=True)
    assert play.events == [
        Start(id="req-1", model="tiny", prompt_tokens=5),
        Progress(stage="read", done=1, total=2),
        Delta(text="Hel"),
        Delta(text="lo"),
    ]
    assert result.text == "Hello"
    assert json.loads(play.sends[0].body)["stream"] is True
    assert play.sends[0].headers["accept"] == "text/event-stream"


def test_a_finished_stream_is_read_to_its_end() -> None:
    play = Play()
    play.run(STREAM, START + DONE, b": ping\n\n", b"", stream=True)
    assert not any(isinstance(step, Drop) for step in play.steps)
    last = play.steps[-1]
    assert isinstance(last, Read)
    assert last.deadline.seconds == DRAIN_SECONDS


@pytest.mark.parametrize("kind", ["timeout", "lost"])
def test_a_result_is_not_lost_with_its_connection(kind: Any) -> None:
    play = Play()
    assert play.run(STREAM, START + DONE, Broken(kind, "body"), stream=True).text == "Hello"
    assert isinstance(play.steps[-1], Drop)


@pytest.mark.parametrize("last", [b"", Broken("lost", "body", "reset")])
@pytest.mark.parametrize(
    ("said", "partial"),
    [
        (b"", ""),
        (START, ""),
        (START + deltas("Once ", "upon"), "Once upon"),
        (START + DONE[:-1], ""),
    ],
)
def test_a_cut_stream_is_an_error(said: bytes, partial: str, last: Reply) -> None:
    pieces = [said] if said else []
    with pytest.raises(errors.StreamInterrupted) as caught:
        Play().run(STREAM, *pieces, last, stream=True)
    assert caught.value.partial == partial
    assert caught.value.attempts == 1


def test_a_worker_lost_before_the_first_event_is_tried_again() -> None:
    play = Play()
    lost = event("error", answers.error("worker_lost"))
    result = play.run(STREAM, lost, STREAM, START + DONE, b"", stream=True)
    assert result.text == "Hello"
    assert len(play.sends) == 2


def test_a_worker_lost_after_the_first_event_is_not() -> None:
    play = Play()
    lost = event("error", answers.error("worker_lost"))
    with pytest.raises(errors.WorkerLost):
        play.run(STREAM, START, lost, stream=True)
    assert len(play.sends) == 1


@pytest.mark.parametrize(
    "said",
    [
        event("delta", {"txt": "x"}),
        event("done", {"id": "x"}),
        b"event: delta\ndata: \xff\n\n",
        b"event: delta\ndata: {\n\n",
    ],
)
def test_a_stream_that_cannot_be_read(said: bytes) -> None:
    with pytest.raises(errors.UnexpectedResponse):
        Play().run(STREAM, START, said, stream=True)


def test_an_answer_that_is_no_stream() -> None:
    with pytest.raises(errors.UnexpectedResponse, match="without a stream"):
        Play().run(OK, stream=True)


def test_a_stream_that_goes_on_past_the_deadline() -> None:
    play = Play(timeout=5)
    play.seconds_per_read = 2
    with pytest.raises(errors.DeadlineExceeded) as caught:
        play.run(STREAM, START, deltas("x"), deltas("y"), stream=True)
    assert caught.value.phase == "body"
    assert [event.text for event in play.events[1:]] == ["x", "y"]
