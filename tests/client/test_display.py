from __future__ import annotations

import pytest

from llmaas_client import Classification, LabelScore, ModelInfo, display
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
