"""What crosses once: both ends keep the same."""

from __future__ import annotations

import random

import pytest

from llmaas_server.seam.attachments import Attachments
from llmaas_server.seam.frames import FrameError
from llmaas_server.seam.values import Attached, Call, ModelRef

MODEL = ModelRef("tiny", "/nowhere", "encoder", True)


def call(digest: str, size: int = 4) -> Call:
    return Call("1", "classify", MODEL, {}, attached=Attached("head", digest, b"x" * size))


def cross(front: Attachments, worker: Attachments, whole: Call) -> tuple[bool, Call]:
    """Whether the content crossed, and what came out."""
    light = front.lighten(whole)
    front.note(light)
    assert light.attached is not None
    return light.attached.content is not None, worker.restore(light)


def test_the_second_time_only_the_digest_crosses() -> None:
    front, worker = Attachments(), Attachments()
    assert cross(front, worker, call("a")) == (True, call("a"))
    assert cross(front, worker, call("a")) == (False, call("a"))


def test_a_call_without_one_is_left_alone() -> None:
    plain = Call("1", "classify", MODEL, {})
    assert Attachments().lighten(plain) is plain
    assert Attachments().restore(plain) is plain


def test_what_was_dropped_crosses_again() -> None:
    front, worker = Attachments(8), Attachments(8)
    crossed = [cross(front, worker, call(digest))[0] for digest in "abacab"]
    assert crossed == [True, True, False, True, False, True]


def test_what_is_too_large_crosses_each_time() -> None:
    front, worker = Attachments(8), Attachments(8)
    assert [cross(front, worker, call("big", 9))[0] for _ in range(2)] == [True, True]


def test_both_ends_agree_whatever_comes() -> None:
    chance = random.Random(0)
    front, worker = Attachments(100), Attachments(100)
    sizes = {str(number): chance.randrange(1, 60) for number in range(12)}
    omitted = 0
    for _ in range(500):
        digest = chance.choice(list(sizes))
        whole = call(digest, sizes[digest])
        crossed, came = cross(front, worker, whole)
        omitted += not crossed
        assert came == whole
    assert 50 < omitted < 450


def test_a_call_that_was_not_sent_is_not_remembered() -> None:
    front = Attachments()
    front.lighten(call("a"))
    attached = front.lighten(call("a")).attached
    assert attached is not None
    assert attached.content is not None


def test_a_gap_is_an_error_of_the_front() -> None:
    bare = Call("1", "classify", MODEL, {}, attached=Attached("head", "a", None))
    with pytest.raises(FrameError, match="never sent"):
        Attachments().restore(bare)
