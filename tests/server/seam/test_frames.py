"""Frames: what goes in comes out, however it is cut; anything else is a FrameError."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from llmaas_server.seam import frames
from llmaas_server.seam.frames import FrameError, FrontFrame, WorkerFrame, encode
from llmaas_server.seam.values import (
    Accepted,
    Call,
    Delta,
    Failure,
    Measurement,
    ModelRef,
    ModelStatus,
    Progress,
    Result,
    Timing,
    Usage,
    WorkerOptions,
)

MODEL = ModelRef(name="tiny", path="/models/tiny", kind="decoder")
CALL = Call(
    id="call-1",
    task="chat",
    model=MODEL,
    request={"messages": [{"role": "user", "content": "grüß Gott 🌍"}], "max_tokens": 3},
    stream=True,
    deadline_ms=1500.0,
    tenant="t1",
)

FRONT: list[FrontFrame] = [
    frames.Options(WorkerOptions(device="cpu", threads=2)),
    frames.Measure(1, CALL),
    frames.Run(1),
    frames.Cancel(1),
    frames.Load(2, MODEL),
    frames.Unload(3, "tiny"),
]
WORKER: list[WorkerFrame] = [
    frames.Pulse(busy=True, progress=7, models=[ModelStatus("tiny", "loading", 0.25, 1 << 40)]),
    frames.Ready(),
    frames.Ready(1 << 34),
    frames.Broken("no such device"),
    frames.Answers(
        [
            frames.Answer(1, frames.Measured(Measurement(12, 34))),
            frames.Answer(1, Accepted(12, "tiny")),
            frames.Answer(1, Delta("你好", logprobs=[{"token": "你好", "logprob": -0.5}])),
            frames.Answer(2, Progress("reading", 1, 3)),
            frames.Answer(1, Result({"embeddings": [[0.5, -0.5]]}, Usage(1, 2, 3), Timing())),
            frames.Answer(3, Failure("context_overflow", "too long", param="text")),
            frames.Answer(4, frames.Done()),
        ]
    ),
]


@pytest.mark.parametrize("piece", [1, 2, 3, 5, 1 << 20])
def test_frames_survive_any_cut(piece: int) -> None:
    data = b"".join(encode(frame) for frame in FRONT)
    reader = frames.front_frames()
    received = [f for i in range(0, len(data), piece) for f in reader.feed(data[i : i + piece])]
    reader.finish()
    assert received == FRONT


def test_worker_frames_round_trip() -> None:
    reader = frames.worker_frames()
    assert reader.feed(b"".join(encode(frame) for frame in WORKER)) == WORKER


def test_the_columns_do_not_understand_each_others_frames() -> None:
    with pytest.raises(FrameError):
        frames.worker_frames().feed(encode(FRONT[0]))
    with pytest.raises(FrameError):
        frames.front_frames().feed(encode(WORKER[0]))


def test_a_connection_that_ends_inside_a_frame_is_an_error() -> None:
    reader = frames.front_frames()
    assert reader.feed(encode(FRONT[1])[:-1]) == []
    with pytest.raises(FrameError, match="bytes into a frame"):
        reader.finish()


def test_a_length_beyond_the_bound_is_refused_before_the_bytes_come() -> None:
    length = (frames.MAX_FRAME_BYTES + 1).to_bytes(4, "big")
    with pytest.raises(FrameError, match=str(frames.MAX_FRAME_BYTES)):
        frames.worker_frames().feed(length)


def test_a_frame_beyond_the_bound_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frames, "MAX_FRAME_BYTES", 100)
    with pytest.raises(FrameError, match="100 is the most"):
        encode(frames.Broken("x" * 101))


@pytest.mark.parametrize("value", [object(), "\ud800", 1 << 70, float], ids=repr)
def test_what_msgpack_does_not_have_is_refused(value: Any) -> None:
    with pytest.raises(FrameError):
        encode(frames.Answers([frames.Answer(1, Result({"x": value}, Usage(), Timing()))]))


def _frame(body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + body


ODD_BODIES = {
    "empty": b"",
    "not a struct": b"\xc0",
    "unknown tag": msgspec.msgpack.encode({"type": "pickle", "id": "1"}),
    "missing field": msgspec.msgpack.encode({"type": "run"}),
    "wrong type": msgspec.msgpack.encode({"type": "run", "id": "5"}),
    "more after the end": msgspec.msgpack.encode({"type": "run", "id": 1}) + b"\xc0",
    "broken utf-8": b"\x82\xa4type\xa2\xff\xff\xa2id\x01",
    "an array of four billion": b"\xdd\xff\xff\xff\xff",
    "deep nesting": b"\x91" * 1_000_000,
}


@pytest.mark.parametrize("body", ODD_BODIES.values(), ids=ODD_BODIES.keys())
def test_odd_bodies_are_frame_errors(body: bytes) -> None:
    with pytest.raises(FrameError):
        frames.front_frames().feed(_frame(body))


def test_nesting_inside_a_request_is_a_frame_error() -> None:
    plain = encode(frames.Measure(1, msgspec.structs.replace(CALL, request={"x": "HERE"})))
    body = plain[4:].replace(b"\xa4HERE", b"\x91" * 100_000 + b"\xc0")
    with pytest.raises(FrameError):
        frames.front_frames().feed(_frame(body))


def _feed(reader: frames.FrameReader[Any], data: bytes) -> None:
    """Feed bytes; a clean error is fine, any other exception fails the test."""
    try:
        reader.feed(data)
        reader.finish()
    except FrameError:
        return


def test_random_bytes_give_clean_errors() -> None:
    draw = random.Random(20240229)
    for _ in range(20_000):
        body = draw.randbytes(draw.randrange(64))
        _feed(frames.front_frames(), _frame(body))
        _feed(frames.worker_frames(), body)


def test_damaged_frames_give_clean_errors() -> None:
    draw = random.Random(7)
    samples = [(frames.front_frames, encode(frame)) for frame in FRONT]
    cases: list[tuple[Any, bytes]] = [
        *samples,
        *((frames.worker_frames, encode(f)) for f in WORKER),
    ]
    for make_reader, data in cases:
        for end in range(len(data)):
            _feed(make_reader(), data[:end])
        for _ in range(1_000):
            damaged = bytearray(data)
            for _ in range(draw.randrange(1, 4)):
                damaged[draw.randrange(4, len(damaged))] = draw.randrange(256)
            _feed(make_reader(), bytes(damaged))
