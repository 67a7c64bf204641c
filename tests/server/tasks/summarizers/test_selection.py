"""Which sentences are chosen."""

from __future__ import annotations

import numpy as np

from llmaas_server.tasks.summarizers.selection import Candidate, salience, select
from llmaas_server.tasks.text import words
from support.fake_runtime import bag_of_words


def choose(texts: list[str], most: int, max_words: int | None = None) -> list[int]:
    candidates = [
        Candidate(text, i, words.count(text), words.count(text)) for i, text in enumerate(texts)
    ]
    vectors = np.stack([bag_of_words(text) for text in texts])
    return select(vectors, candidates, salience(vectors, candidates), most, max_words)


TEXT = [
    "The river flood destroyed the old bridge in town.",
    "My aunt prefers green apples over yellow ones.",
    "The flood of the river closed the town for a week.",
    "Engineers will build the river bridge in town again.",
    "Nobody asked about lunch or the weather today.",
]


def test_the_centre_is_chosen_in_the_order_of_the_text() -> None:
    assert choose(TEXT, 2) == [0, 2]
    assert 1 not in choose(TEXT, 3)
    assert 4 not in choose(TEXT, 3)


def test_a_repeated_sentence_is_chosen_once() -> None:
    assert choose([TEXT[0]] * 5 + TEXT[1:], 3)[0] == 0
    assert sum(index < 5 for index in choose([TEXT[0]] * 5 + TEXT[1:], 4)) == 1


def test_words_are_a_limit() -> None:
    costs = [words.count(text) for text in TEXT]
    for max_words in range(min(costs), sum(costs)):
        chosen = choose(TEXT, 5, max_words)
        assert chosen
        assert sum(costs[index] for index in chosen) <= max_words


def test_a_dangling_pronoun_costs() -> None:
    plain, dangling = "Rain fell on the town.", "It fell on the town."
    candidates = [Candidate(text, 0, 5, 5) for text in (plain, dangling)]
    same = np.stack([bag_of_words(plain)] * 2)
    assert np.diff(salience(same, candidates))[0] < 0


def test_identical_sentences_have_a_finite_salience() -> None:
    candidates = [Candidate("One and the same text.", i, 5, 5) for i in range(3)]
    values = salience(np.stack([bag_of_words("same")] * 3), candidates)
    assert np.isfinite(values).all()


def test_a_sentence_that_hangs_comes_with_the_one_before_or_not_at_all() -> None:
    texts = [
        "The council met on Monday to discuss the new bridge over the river.",
        "Engineers presented the bridge plan, its cost and its risks to the council.",
        "This bridge plan will cost the council and the town three million pounds.",
        "Nobody asked about lunch.",
    ]
    for most in (1, 2, 3, 4):
        for max_words in (None, 12, 15, 28, 40):
            chosen = choose(texts, most, max_words)
            assert 2 not in chosen or 1 in chosen, (most, max_words)


def test_a_text_of_sentences_that_hang_has_a_summary() -> None:
    texts = ["A very long first sentence that no summary has room for.", "It rained all day."]
    assert choose(texts, 1, max_words=5) == [1]


def test_fragments_are_chosen_where_there_is_nothing_else() -> None:
    assert choose(["Yes, sir.", "The council will build the bridge in May."], 2) == [1]
    assert choose(["Yes, sir.", "Of course."], 1) in ([0], [1])


def test_words_that_come_back_weigh() -> None:
    """Three sentences at the same distance from the centre: the one with the text's words wins."""
    texts = [
        "We had tea and cake afterwards.",
        "The bridge budget was approved by the council.",
        "The bridge budget and the council were praised.",
    ]
    candidates = [Candidate(text, 9, 8, 8) for text in texts]
    values = salience(np.stack([bag_of_words("same")] * 3), candidates)
    assert values.argmin() == 0
