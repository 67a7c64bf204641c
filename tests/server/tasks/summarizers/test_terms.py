"""What sentences are about, by their words."""

from __future__ import annotations

from llmaas_server.tasks.summarizers.terms import Terms
from llmaas_server.tasks.text.content import content_words


def test_empty_words_and_punctuation_are_left_out() -> None:
    assert content_words("Well, the Bridge isn't new: it's 3 years old!") == [
        "bridge",
        "isn",
        "new",
        "years",
        "old",
    ]


def test_a_script_without_spaces_has_characters() -> None:
    assert content_words("桥很新。") == ["桥", "很", "新"]


def test_words_weigh_by_the_sentences_that_have_them() -> None:
    terms = Terms([["bridge", "river"], ["bridge"], ["tea", "cake", "tea"], []])
    assert terms.weight[0] == terms.weight[1] > terms.weight[2] == terms.weight[3] == 0
    assert terms.density[1] > terms.density[0] > terms.density[2] > terms.density[3] == 0
    assert terms.length[2] > terms.length[0] > terms.length[1] > terms.length[3] == 0
