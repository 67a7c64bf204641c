from __future__ import annotations

import pytest

from llmaas_client import Classification, LabelScore, ModelInfo, display
from llmaas_client.wire.explanations import Explanation
from support import answers


def classification(*scores: tuple[str, float], labels: list[str]) -> Classification:
    items = [LabelScore(label=name, score=score) for name, score in scores]
    return Classification(label=labels[0], score=scores[0][1], labels=labels, scores=items)


ANSWER = classification(("good", 0.75), ("so-so", 0.25), ("bad", 0.0), labels=["good"])


def test_columns() -> None:
    assert display.columns(ANSWER) == "good\t0.7500\nso-so\t0.2500\nbad\t0.0000"


def test_bars() -> None:
    assert display.bars(ANSWER).splitlines() == [
        "* good   ██████████████████░░░░░░  0.750",
        "  so-so  ██████░░░░░░░░░░░░░░░░░░  0.250",
        "  bad    ░░░░░░░░░░░░░░░░░░░░░░░░  0.000",
    ]


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("plain 二 👋\n\tindented", "plain 二 👋\n\tindented"),
        ("\x1b[31mred\x1b[0m", "[31mred[0m"),
        ("\x1b]0;title\x07", "]0;title"),
        ("over\rwritten\x9b1A", "overwritten1A"),
    ],
)
def test_what_a_model_writes_does_not_steer_the_terminal(text: str, clean: str) -> None:
    assert display.clean(text) == clean


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"bytes": 100_000_000}, True),
        ({"bytes": 5_000_000_000}, False),
        ({"bytes": 100_000_000, "kind": "seq2seq"}, False),
    ],
)
def test_a_small_chat_model_is_announced(changes: dict[str, object], says: bool) -> None:
    model = ModelInfo.model_validate(answers.models(**changes)["data"][0])
    notice = display.notice(model)
    assert (notice is not None) is says
    if notice:
        assert notice.startswith("tiny is a small model")
        assert "llmaas models recommend" in notice


EXPLAINED = Explanation.model_validate(answers.explanation())


def test_words_that_tell_most_come_first() -> None:
    assert display.weights(EXPLAINED).splitlines() == [
        "  +0.500              │████████████  love",
        "  -0.050             █│              I",
        "  +0.000              │              it",
    ]
    assert len(display.weights(EXPLAINED, most=1).splitlines()) == 1


def test_words_as_columns() -> None:
    assert display.word_columns(EXPLAINED).splitlines() == [
        "0\t1\t-0.0500\tI",
        "2\t6\t0.5000\tlove",
        "7\t9\t0.0000\tit",
    ]


def test_marked_pieces_join_to_the_text() -> None:
    pieces = display.marked("I love it!", EXPLAINED)
    assert "".join(piece for piece, _ in pieces) == "I love it!"
    assert pieces[0] == ("I", -0.1)
    assert ("love", 1.0) in pieces
    assert pieces[-1] == ("!", 0.0)


def test_what_would_change_the_answer() -> None:
    assert display.flip_of(EXPLAINED) == "without “love”: negative 0.600"
    abstained = answers.explanation()
    abstained["flip"]["label"] = None
    assert display.flip_of(Explanation.model_validate(abstained)) == "without “love”: no label"
    none = Explanation.model_validate(answers.explanation() | {"flip": None})
    assert display.flip_of(none) == "no small change flips it: 3 changed texts were looked at"
    unasked = answers.explanation() | {"flip": None, "flip_texts": None}
    assert display.flip_of(Explanation.model_validate(unasked)) is None
