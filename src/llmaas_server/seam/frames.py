"""What the front and the worker say to each other, as bytes.

A frame is a length (4 bytes, big-endian) and that many bytes of msgpack: one tagged struct.

    front -> worker   Options (first)   Measure Run Cancel Load Unload
    worker -> front   Pulse (first)     Ready or Broken, then Pulse and Answers

Requests carry a number that is never used twice on a connection, and answers come back by it.
Whoever closes the connection ends the worker.
"""

from __future__ import annotations

from typing import Any, Generic, TypeVar

import msgspec

from .lanes import LaneWork
from .values import Call, Event, Failure, Measurement, ModelRef, ModelStatus, WorkerOptions

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""A larger frame is refused, by its sender before it is sent and by its reader from its length."""

_LENGTH_BYTES = 4


class FrameError(Exception):
    """Bytes that are not a frame, or a value that does not fit into one."""


class Options(msgspec.Struct, frozen=True, tag="options"):
    """How to compute."""

    options: WorkerOptions


class Measure(msgspec.Struct, frozen=True, tag="measure"):
    """Answered by `Measured`; the call then waits for `Run` or `Cancel`."""

    id: int
    call: Call


class Run(msgspec.Struct, frozen=True, tag="run"):
    """Answered by `Accepted`, its events, and a `Result`."""

    id: int


class Cancel(msgspec.Struct, frozen=True, tag="cancel"):
    """Forget whatever has this id.

    A call that runs is answered by its `Failure`, with what it has used; nothing else is.
    """

    id: int


class Load(msgspec.Struct, frozen=True, tag="load"):
    """Answered by `Done` when the model is resident."""

    id: int
    model: ModelRef


class Unload(msgspec.Struct, frozen=True, tag="unload"):
    """Answered by `Done`."""

    id: int
    name: str


FrontFrame = Options | Measure | Run | Cancel | Load | Unload
"""What the front says."""


class Measured(msgspec.Struct, frozen=True, tag="measured"):
    measurement: Measurement


class Done(msgspec.Struct, frozen=True, tag="done"):
    """The request is fulfilled; there is nothing more to say about it."""


Reply = Measured | Event | Done
"""What is said to a request that goes well."""

Saying = Measured | Event | Done | Failure
"""What can be said to a request. A `Failure` is the last word to any of them."""


class Answer(msgspec.Struct, frozen=True, array_like=True):
    """Something said to one request."""

    id: int
    saying: Saying


class Answers(msgspec.Struct, frozen=True, tag="answers"):
    """All that one turn of the worker's loop brought, for all requests."""

    answers: list[Answer]


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """The runtime is built: requests will be answered."""

    memory_bytes: int = 0
    """Most that its models may take."""


class Broken(msgspec.Struct, frozen=True, tag="broken"):
    """The runtime cannot be built; the worker ends."""

    message: str


class Pulse(msgspec.Struct, frozen=True, tag="pulse"):
    """The worker's sign of life, at even intervals."""

    busy: bool
    """Whether there is work, so that `progress` must change."""
    progress: int
    """Changes with every step, every answer and every byte loaded; says nothing else."""
    models: list[ModelStatus]
    work: list[LaneWork] = []
    """What lanes have done since the worker started, those of models that are gone, too."""


WorkerFrame = Answers | Ready | Broken | Pulse
"""What the worker says."""

FrameT = TypeVar("FrameT", bound=FrontFrame | WorkerFrame)

_encoder = msgspec.msgpack.Encoder()


def encode(frame: FrontFrame | WorkerFrame) -> bytes:
    """The frame as bytes. Raises FrameError where it is too large or has what msgpack has not."""
    try:
        body = _encoder.encode(frame)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as error:
        # The message could quote a caller's text; the type alone is told.
        raise FrameError(f"a frame cannot be encoded: {type(error).__name__}") from None
    if len(body) > MAX_FRAME_BYTES:
        raise FrameError(f"a frame of {len(body)} bytes; {MAX_FRAME_BYTES} is the most")
    return len(body).to_bytes(_LENGTH_BYTES, "big") + body


class FrameReader(Generic[FrameT]):
    """Bytes in, in pieces cut anywhere; whole frames out. Holds no connection."""

    def __init__(self, frames: Any) -> None:
        """`frames` is the union of the frames to expect: `FrontFrame` or `WorkerFrame`."""
        self._decoder: msgspec.msgpack.Decoder[FrameT] = msgspec.msgpack.Decoder(frames)
        self._buffer = bytearray()

    def feed(self, chunk: bytes) -> list[FrameT]:
        """The frames that `chunk` completes. Raises FrameError; the reader is of no use then."""
        self._buffer += chunk
        frames: list[FrameT] = []
        position = 0
        while (end := self._end(position)) is not None:
            frames.append(self._decode(self._buffer[position + _LENGTH_BYTES : end]))
            position = end
        del self._buffer[:position]
        return frames

    def finish(self) -> None:
        """Nothing more comes. Raises FrameError where that cuts a frame."""
        if self._buffer:
            raise FrameError(f"the connection ended {len(self._buffer)} bytes into a frame")

    def _end(self, position: int) -> int | None:
        """Where the frame at `position` ends; None while it is incomplete."""
        start = position + _LENGTH_BYTES
        if len(self._buffer) < start:
            return None
        length = int.from_bytes(self._buffer[position:start], "big")
        if length > MAX_FRAME_BYTES:
            raise FrameError(f"a frame of {length} bytes; {MAX_FRAME_BYTES} is the most")
        end = start + length
        return end if len(self._buffer) >= end else None

    def _decode(self, body: bytearray) -> FrameT:
        try:
            return self._decoder.decode(body)
        except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError) as e:
            raise FrameError(f"a frame cannot be decoded: {type(e).__name__}") from None


def front_frames() -> FrameReader[FrontFrame]:
    """A reader for what the front says."""
    return FrameReader(FrontFrame)


def worker_frames() -> FrameReader[WorkerFrame]:
    """A reader for what the worker says."""
    return FrameReader(WorkerFrame)
