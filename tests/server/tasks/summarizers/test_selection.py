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
