"""Passages tile the documents, and none is longer than a prompt has room for."""

from __future__ import annotations

import random

import pytest

from llmaas_server.tasks.documents import passages
from support.fake_runtime import CharacterTokenizer

TOKENIZER = CharacterTokenizer()
WORDS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


def random_text(seed: int) -> str:
    chance = random.Random(seed)
    sentences = [
        " ".join(chance.choices(WORDS, k=chance.randint(1, 60))).capitalize() + "."
        for _ in range(chance.randint(1, 12))
    ]
    return chance.choice([" ", "\n\n"]).join(sentences)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("longest", [20, 120])
def test_nothing_is_left_out(seed: int, longest: int) -> None:
    documents = [random_text(seed), random_text(seed + 100), "没有空格的长文本" * 40]
    cut = passages.cut(documents, TOKENIZER, longest)
    for number, document in enumerate(documents):
        covered = {i for one in cut if one.document == number for i in range(one.start, one.end)}
        assert covered == set(range(len(document)))
    assert all(len(one.text(documents).strip()) <= longest + 2 for one in cut)
    assert len(set(cut)) == len(cut)


def test_neighbours_share_a_sentence() -> None:
    text = "Alpha is one. Beta is two. Gamma is three. Delta is four."
    first, second, *_ = passages.cut([text], TOKENIZER, 30)
    assert second.start < first.end
