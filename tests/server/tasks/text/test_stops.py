"""Stop strings: nothing of them is seen, however the text is cut."""

from __future__ import annotations

from itertools import product

import pytest

from llmaas_server.tasks.text.stops import StopMatcher


def feed(stops: list[str], pieces: list[str]) -> tuple[str, bool]:
    matcher = StopMatcher(stops)
    text = ""
    for piece in pieces:
        text += matcher.push(piece)
        if matcher.stopped:
            return text, True
    return text + matcher.finish(), False


@pytest.mark.parametrize(
    ("stops", "text", "expected", "stopped"),
    [
        ([], "hello", "hello", False),
        (["\n\n"], "one\ntwo\n\nthree", "one\ntwo", True),
        (["END"], "no end", "no end", False),
        (["END"], "xEN", "xEN", False),
        (["END"], "ENEND", "EN", True),
        (["aab"], "aaab", "a", True),
        (["b", "abc"], "xabc", "xa", True),
        (["c", "abc"], "xabc", "x", True),
        (["。"], "你好。再见", "你好", True),
        (["STOP", "stop"], "we stop, STOP", "we ", True),
        (["x"], "x", "", True),
    ],
)
def test_result_does_not_depend_on_the_pieces(
    stops: list[str], text: str, expected: str, stopped: bool
) -> None:
    for cuts in product((False, True), repeat=min(len(text), 12) - 1):
        pieces = [text[0]]
        for character, cut in zip(text[1:], [*cuts, *[True] * len(text)], strict=False):
            pieces = [*pieces, character] if cut else [*pieces[:-1], pieces[-1] + character]
        assert feed(stops, pieces) == (expected, stopped)


def test_only_what_could_begin_a_stop_is_held_back() -> None:
    matcher = StopMatcher(["END"])
    assert matcher.push("the E") == "the "
    assert matcher.push("N") == ""
    assert matcher.push("Z") == "ENZ"
