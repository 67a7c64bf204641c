"""How false sentences are made, and what is counted of them."""

from __future__ import annotations

import random

import pytest
from benchmarks.grounding import auroc, has_number, swap

from llmaas_server.tasks.grounding.judgement import Grounded


@pytest.mark.parametrize(
    "sentence", ["It cost 42 pounds.", "Seven people came in 1962.", "About 3.5 million.", "Ten."]
)
def test_a_swap_changes_numbers_alone(sentence: str) -> None:
    dice = random.Random(1)
    for _ in range(20):
        swapped = swap(sentence, dice)
        assert swapped != sentence
        assert has_number(swapped)
        assert len(swapped.split()) == len(sentence.split())


def test_auroc() -> None:
    high, low = Grounded((), 0.9, ()), Grounded((), 0.1, ())
    assert auroc([high], [low]) == 1.0
    assert auroc([low], [high]) == 0.0
    assert auroc([high, low], [high, low]) == 0.5
