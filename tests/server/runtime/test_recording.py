"""Spans of a call: what becomes one, how many there are at most, and who finds the recorder."""

from __future__ import annotations

import asyncio
import time

from llmaas_server.runtime.recording import MOST_SPANS, Recorder, timed
from llmaas_server.runtime.request import Encoding, Finish, Finished, Generation, Scoring, Token
from llmaas_server.runtime.spending import counted
from llmaas_server.seam.values import Span

ENCODING = Encoding((((1, 2, 3), None), ((4, 5), (0, 0))), head=False)


def span(number: int) -> Span:
    return Span(str(number), number, number + 1)


def test_what_is_taken_is_gone() -> None:
    recorder = Recorder()
    recorder.add(span(1))
    assert recorder.take() == [span(1)]
    assert recorder.take() == []


def test_a_call_of_many_jobs_says_how_many_it_left_out() -> None:
    recorder = Recorder()
    for number in range(MOST_SPANS + 3):
        recorder.add(span(number))
    *kept, more = recorder.take()
    assert kept == [span(number) for number in range(MOST_SPANS)]
    assert (more.name, more.attributes) == ("more", {"llmaas.spans": 3})
    assert recorder.take() == []


def test_times_are_those_of_the_wall() -> None:
    recorder = Recorder(lambda: 10**18)
    now = recorder.at(time.monotonic())
    assert 10**18 <= now < 10**18 + 10**9


def test_a_block_that_fails_is_recorded() -> None:
    recorder = Recorder()
    try:
        with recorder.span("load", {"of": "m"}):
            raise KeyError
    except KeyError:
        pass
    (one,) = recorder.take()
    assert (one.name, one.attributes, one.ended >= one.began) == ("load", {"of": "m"}, True)


def test_nobody_records_outside() -> None:
    with timed(ENCODING, 0.0) as timeline:
        assert timeline is None


def test_a_job_has_the_parts_that_it_came_to() -> None:
    recorder = Recorder()
    with counted(recorder):
        with timed(ENCODING, 1.0):
            pass  # no step ever began
        with timed(ENCODING, 1.0) as timeline:
            assert timeline is not None
            timeline.began = 2.0
        with timed(Generation((1, 2, 3), 5), 1.0) as timeline:
            assert timeline is not None
            timeline.began = 2.0
            timeline.hear([Token(7)])
            timeline.hear([Token(8), Finished(Finish.STOP, 3, 1, 2, 0.0, 0.0, 0.0)])
        with timed(Scoring((1,), ((2, 3), (4,))), 1.0):
            pass
    waited, computed, generated, scored = recorder.take()
    parts = [[part.name for part in one.parts] for one in (waited, computed, generated, scored)]
    assert parts == [["queue"], ["queue", "compute"], ["queue", "prefill", "decode"], ["queue"]]
    assert computed.parts[0].ended - computed.parts[0].began == 10**9
    assert computed.parts[0].ended == computed.parts[1].began
    assert computed.parts[-1].ended == computed.ended
    assert (waited.name, waited.attributes) == (
        "embed", {"llmaas.sequences": 2, "llmaas.tokens": 5},
    )  # fmt: skip
    assert (generated.name, generated.attributes) == (
        "generate",
        {"llmaas.tokens": 3, "llmaas.tokens.cached": 1, "llmaas.tokens.generated": 2},
    )
    assert (scored.name, scored.attributes["llmaas.tokens"]) == ("score", 4)


async def test_tasks_that_a_call_starts_find_its_recorder() -> None:
    one, two = Recorder(), Recorder()

    async def work() -> None:
        with timed(ENCODING, 1.0):
            await asyncio.sleep(0)

    async def call(recorder: Recorder, jobs: int) -> None:
        with counted(recorder):
            await asyncio.gather(*(work() for _ in range(jobs)))

    await asyncio.gather(call(one, 2), call(two, 3))
    assert (len(one.take()), len(two.take())) == (2, 3)
