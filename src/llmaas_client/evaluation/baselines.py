"""What takes no model: the beginning of a text, and sentences at random, as long as a summary."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from .passages import Passage, first_words, sentences

FIRST_SENTENCES = "the first sentences, as many"
FIRST_WORDS = "the first words, as many"
RANDOM = "random sentences, no more words"
NAMES = (FIRST_SENTENCES, FIRST_WORDS, RANDOM)
DRAWS = 5


@dataclass(frozen=True, slots=True)
class Baseline:
    """Texts by the name of the baseline, each as its sentences; several are drawings of one."""

    name: str
    drawings: Sequence[Sequence[str]]


def baselines(text: str, count: int, words: int, seed: str) -> list[Baseline]:
    """As long as a summary of `count` sentences and so many words."""
    there = sentences(text)
    start = [one.text for one in sentences(first_words(text, words))]
    return [
        Baseline(FIRST_SENTENCES, [[one.text for one in there[:count]]]),
        Baseline(FIRST_WORDS, [start]),
        Baseline(RANDOM, [_random(there, words, f"{seed} {draw}") for draw in range(DRAWS)]),
    ]


def _random(there: Sequence[Passage], words: int, seed: str) -> list[str]:
    """Those that fit, in the order of the text; the first drawn is cut where it is too long."""
    order = random.Random(seed).sample(range(len(there)), len(there))
    chosen: dict[int, str] = {}
    left = words
    for index in order:
        sentence = there[index]
        if sentence.words <= left:
            chosen[index] = sentence.text
            left -= sentence.words
    if not chosen:
        return [first_words(there[order[0]].text, words)]
    return [chosen[index] for index in sorted(chosen)]
