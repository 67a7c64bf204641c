"""The search for words without which the answer is another, over made-up answers."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence

import pytest

from llmaas_server.tasks.explanations.flips import Found, Removal, search

Flips = Callable[[Removal], bool]


def hunt(
    flips: Flips, order: Sequence[int], *, removed: int = 32, tries: int = 96, known: bool = True
) -> tuple[Found | None, list[list[Removal]]]:
    """What was found, and all rounds."""
    alone = [word for word in order if flips(frozenset([word]))] if known else None
    searching = search(order, removed, tries, alone)
    rounds: list[list[Removal]] = []
    try:
        wanted = next(searching)
        while True:
            rounds.append(wanted)
            wanted = searching.send([flips(removal) for removal in wanted])
    except StopIteration as end:
        return end.value, rounds


def needs(*words: int) -> Flips:
    return lambda removal: removal >= set(words)


def test_one_word_that_is_known_costs_nothing() -> None:
    assert hunt(needs(3), [5, 3, 1]) == (Found(frozenset([3]), minimal=True), [])


def test_words_that_do_not_matter_come_back() -> None:
    found, rounds = hunt(needs(2, 7), [1, 2, 9, 4, 7, 0])
    assert found == Found(frozenset([2, 7]), minimal=True)
    assert all(removal for some in rounds for removal in some)


def test_one_word_is_found_where_nobody_has_tried() -> None:
    found, _ = hunt(needs(4), [1, 2, 4, 3], known=False)
    assert found == Found(frozenset([4]), minimal=True)


def test_nothing_flips() -> None:
    found, rounds = hunt(lambda removal: False, list(range(40)), removed=32)
    assert found is None
    assert max(len(removal) for some in rounds for removal in some) == 32


@pytest.mark.parametrize("order", [[], [3]])
def test_there_is_nothing_to_try(order: list[int]) -> None:
    assert hunt(lambda removal: False, order) == (None, [])


def test_tries_are_counted() -> None:
    found, rounds = hunt(needs(*range(20)), list(range(30)), tries=25)
    assert found is not None
    assert found.removed == set(range(20))
    assert not found.minimal
    assert sum(map(len, rounds)) == 25
    nothing, rounds = hunt(needs(*range(20)), list(range(30)), tries=12)
    assert nothing is None
    assert sum(map(len, rounds)) == 12


def test_what_is_found_flips_and_is_minimal() -> None:
    draw = random.Random(4)
    flipped = 0
    for _ in range(200):
        size = draw.randint(2, 20)
        weights = [draw.uniform(-1, 1) for _ in range(size)]
        clash = draw.sample(range(size), 2)
        least = draw.uniform(0.2, 2.5)

        def flips(
            removal: Removal,
            weights: list[float] = weights,
            clash: list[int] = clash,
            least: float = least,
        ) -> bool:
            # Two of the words count against each other: no plain sum.
            bonus = -0.8 if removal >= set(clash) else 0.0
            return sum(weights[word] for word in removal) + bonus > least

        order = sorted((w for w in range(size) if weights[w] > 0), key=lambda w: -weights[w])
        found, _ = hunt(flips, order, removed=size - 1)
        if found is None:
            continue
        flipped += 1
        assert flips(found.removed)
        if found.minimal:
            assert not any(flips(found.removed - {word}) for word in found.removed)
        else:
            assert len(found.removed) > 2
    assert flipped > 60
