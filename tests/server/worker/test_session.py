"""The worker's side of the conversation, over a real socket pair."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from llmaas_server.seam import frames
from llmaas_server.seam.channel import Channel
from llmaas_server.seam.frames import (
    Answer,
    Answers,
    Broken,
    Done,
    FrameError,
    FrontFrame,
    Load,
    Measure,
    Options,
    Pulse,
    Ready,
    Run,
    WorkerFrame,
)
from llmaas_server.seam.values import (
    Accepted,
    Delta,
    Failure,
    ModelRef,
    Result,
    Timing,
    Usage,
    WorkerOptions,
)
from llmaas_server.worker.outbox import Outbox
from llmaas_server.worker.session import UnusableError, converse
from support.backends import MODEL, chat
from support.worker_runtime import ScriptedRuntime, create_nothing


@asynccontextmanager
async def channels() -> AsyncIterator[tuple[Channel[WorkerFrame], Channel[FrontFrame]]]:
    """The front's end and the worker's."""
    ours, theirs = socket.socketpair()
    front = await Channel.open(ours, frames.worker_frames())
    worker = await Channel.open(theirs, frames.front_frames())
    try:
        yield front, worker
    finally:
        for channel in (front, worker):
            channel.close()
            await channel.wait_closed()


async def receive(front: Channel[WorkerFrame]) -> WorkerFrame:
    """The next frame that is not a pulse."""
    while isinstance(frame := await front.receive(), Pulse):
        pass
    assert frame is not None
    return frame


async def answers_of(front: Channel[WorkerFrame], count: int) -> list[Answer]:
    answers: list[Answer] = []
    while len(answers) < count:
        frame = await receive(front)
        assert isinstance(frame, Answers)
        answers += frame.answers
    return answers


def create(options: WorkerOptions) -> Any:
    return ScriptedRuntime()


async def test_a_conversation() -> None:
    async with channels() as (front, worker):
        front.send(Options(WorkerOptions()))
        conversation = asyncio.create_task(converse(worker, create))
        assert isinstance(await front.receive(), Pulse), "the first word is a sign of life"
        assert isinstance(await receive(front), Ready)
        front.send(Load(1, MODEL))
        front.send(Load(2, ModelRef("broken", "", "decoder")))
        loaded = {answer.id: answer.saying for answer in await answers_of(front, 2)}
        assert loaded[1] == Done()
        assert isinstance(loaded[2], Failure)
        front.send(Measure(3, chat("hi")))
        await answers_of(front, 1)
        front.send(Run(3))
        said = [answer.saying for answer in await answers_of(front, 4)]
        assert said[:3] == [Accepted(2, "scripted"), Delta("h"), Delta("i")]
        assert isinstance(said[3], Result)
        front.close()
        await conversation


async def test_the_end_of_the_connection_ends_what_runs() -> None:
    async with channels() as (front, worker):
        front.send(Options(WorkerOptions()))
        runtime: Any = ScriptedRuntime()
        conversation = asyncio.create_task(converse(worker, lambda options: runtime))
        front.send(Measure(1, chat("stuck")))
        front.send(Run(1))
        assert isinstance(await receive(front), Ready)
        await answers_of(front, 1)
        front.send(Run(1))
        await answers_of(front, 1)
        front.close()
        await conversation
        assert runtime.models()[0].bytes == 0, "nothing generates any more"


async def test_a_front_that_cannot_be_understood_ends_the_worker() -> None:
    async with channels() as (front, worker):
        front.send(Run(1))
        with pytest.raises(FrameError, match="options"):
            await converse(worker, create)
        front.send(Options(WorkerOptions()))
        front.send(Options(WorkerOptions()))
        with pytest.raises(ExceptionGroup) as caught:
            await converse(worker, create)
        assert caught.group_contains(FrameError, match="twice")


async def test_a_runtime_that_cannot_be_built_is_told() -> None:
    create: Any = create_nothing
    async with channels() as (front, worker):
        front.send(Options(WorkerOptions(device="cuda")))
        with pytest.raises(ExceptionGroup) as caught:
            await converse(worker, create)
        assert caught.group_contains(UnusableError)
        assert await receive(front) == Broken("there is no device 'cuda'")


# --- the outbox ---------------------------------------------------------------------------------


@asynccontextmanager
async def outbox_to(channel: Channel[FrontFrame]) -> AsyncIterator[Outbox]:
    outbox = Outbox(channel)
    sending = asyncio.create_task(outbox.send_forever())
    try:
        yield outbox
    finally:
        sending.cancel()
        with suppress(asyncio.CancelledError):
            await sending


async def test_one_turn_of_the_loop_is_one_frame() -> None:
    async with channels() as (front, worker), outbox_to(worker) as outbox:
        # Several calls that one step of the scheduler has woken.
        await asyncio.gather(*(_put(outbox, number) for number in range(5)))
        frame = await front.receive()
        assert frame == Answers([Answer(number, Delta("x")) for number in range(5)])
        assert outbox.progress == 5


async def _put(outbox: Outbox, number: int) -> None:
    outbox.put(number, Delta("x"))


async def test_answers_that_fit_no_frame_together_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 1000)
    async with channels() as (front, worker), outbox_to(worker) as outbox:
        texts = ["a" * 600, "b" * 600, "c" * 2000, "d"]
        for number, text in enumerate(texts):
            outbox.put(number, Delta(text))
        answers = await answers_of(front, 4)
        assert [answer.id for answer in answers] == [0, 1, 2, 3]
        assert [a.saying for a in answers if a.id != 2] == [Delta(texts[n]) for n in (0, 1, 3)]
        assert isinstance(answers[2].saying, Failure)


async def test_a_result_that_msgpack_cannot_hold_fails_alone() -> None:
    async with channels() as (front, worker), outbox_to(worker) as outbox:
        outbox.put(1, Result({"broken": object()}, Usage(), Timing()))
        outbox.put(2, Delta("fine"))
        answers = await answers_of(front, 2)
        assert isinstance(answers[0].saying, Failure)
        assert answers[0].saying.code == "internal_error"
        assert answers[1].saying == Delta("fine")


async def test_a_front_that_reads_slowly_gets_more_in_one_frame() -> None:
    async with channels() as (front, worker), outbox_to(worker) as outbox:
        big = "x" * 16_000_000  # More than the buffers between the two hold.
        outbox.put(0, Delta(big))
        for number in range(1, 100):
            await asyncio.sleep(0)
            outbox.put(number, Delta("y"))
        assert isinstance(await front.receive(), Answers)
        rest = await front.receive()
        assert isinstance(rest, Answers)
        assert len(rest.answers) == 99
