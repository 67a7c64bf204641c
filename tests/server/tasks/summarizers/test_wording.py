"""What is taken away from a sentence that a model wrote."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.summarizers.wording import headline, loops, says_again, tidy
from llmaas_server.tasks.text import words


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("It rained.", "It rained."),
        ("- It rained.", "It rained."),
        ("2. It rained.", "It rained."),
        ("2.5 million came.", "2.5 million came."),
        ("### The flood", "The flood"),
        ("**The flood** took it.", "The flood took it."),
        ("`__init__` is called.", "`__init__` is called."),
        ("Document 2: It rained.", "It rained."),
        ("Documents 1 and 2: It rained.", "It rained."),
        ("Document 2 says that it rained.", "Document 2 says that it rained."),
        ("The river flooded the town .", "The river flooded the town."),
        ("It rained,\nand poured.", "It rained, and poured."),
        ("The main facts are:", ""),
        ("要点如下：", ""),
    ],
)
def test_tidy(written: str, sentence: str) -> None:
    assert tidy(written, first=False) == sentence


@pytest.mark.parametrize(
    "written",
    ["Summary: It rained.", "Here is a short summary: It rained.", "**Headline:** It rained."],
)
def test_a_preface_stands_before_the_first_sentence_alone(written: str) -> None:
    assert tidy(written, first=True) == "It rained."
    assert tidy(written, first=False) != "It rained."


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("Flood destroys a bridge", "Flood destroys a bridge"),
        ('"Flood destroys a bridge"', "Flood destroys a bridge"),
        ('The "old" bridge is "gone"', 'The "old" bridge is "gone"'),
        (
            "The flood of the river destroyed the old bridge, and the engineers of the town say "
            "that they will build it again next year.",
            "The flood of the river destroyed the old bridge",
        ),
    ],
)
def test_headline(sentence: str, expected: str) -> None:
    assert headline(sentence) == expected


def test_a_headline_without_clauses_is_cut() -> None:
    cut = headline("word " * 40 + "end.")
    assert cut.endswith("…")
    assert words.count(cut) <= 20


@pytest.mark.parametrize(
    ("sentence", "does"),
    [
        ("The one-line " + "one-line " * 30, True),
        ("She has a business that is hers and a business that is hers and a business that is hers "
         "and a business that is hers.", True),
        ("No no no.", False),
        ("The town library opens again on Monday after two years of repairs to its roof, and the "
         "reading room of the library has twice as many seats as before.", False),
    ],
)  # fmt: skip
def test_loops(sentence: str, does: bool) -> None:
    assert loops(sentence) == does


@pytest.mark.parametrize(
    ("sentence", "before", "does"),
    [
        ("The bridge fell.", [], False),
        ("The bridge fell.", ["It rained.", "The bridge fell!"], True),
        ("The old bridge in town was destroyed.", ["In town the old bridge was destroyed."], True),
        ("Sales fell to 3 million in 2020.", ["Sales fell to 4 million in 2021."], False),
        ("今天下雨。", ["今天下雨！"], True),
        ("今天下雨。", ["明天放晴。"], False),
    ],
)
def test_says_again(sentence: str, before: list[str], does: bool) -> None:
    assert says_again(sentence, before) == does
