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


def test_a_script_without_spaces_has_pairs_of_characters() -> None:
    assert content_words("小镇的老桥很新。GPU 很快") == ["小镇", "老桥", "新", "gpu", "快"]
    assert content_words("河水淹没了小镇") == ["河水", "水淹", "淹没", "小镇"]


def test_words_weigh_by_the_sentences_that_have_them() -> None:
    terms = Terms([["bridge", "river"], ["bridge"], ["tea", "cake", "tea"], []])
    assert terms.weight[0] == terms.weight[1] > terms.weight[2] == terms.weight[3] == 0
    assert terms.density[1] > terms.density[0] > terms.density[2] > terms.density[3] == 0
    assert terms.length[2] > terms.length[0] > terms.length[1] > terms.length[3] == 0
