from __future__ import annotations

import random

import pytest

from llmaas_server.runtime.slots import Slots, Span


def test_spans_are_neighbours_and_first_fit() -> None:
    slots = Slots(10)
    first, second = slots.take(4), slots.take(3)
    assert (first, second, slots.free) == (Span(0, 4), Span(4, 3), 3)
    slots.give(first)
    assert slots.take(2) == Span(0, 2)


def test_asking_changes_nothing() -> None:
    slots = Slots(5)
    assert slots.can_take(5)
    assert not slots.can_take(6)
    assert slots.free == 5


def test_free_slots_that_are_apart_are_not_a_span() -> None:
    slots = Slots(9)
    spans = [slots.take(3) for _ in range(3)]
    slots.give(spans[0])
    slots.give(spans[2])
    assert slots.free == 6
    assert not slots.can_take(4)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (0, 2, 1), (1, 0, 2)])
def test_spans_grow_together_in_any_order(order: tuple[int, ...]) -> None:
    slots = Slots(9)
    spans = [slots.take(3) for _ in range(3)]
    for index in order:
        slots.give(spans[index])
    assert slots.can_take(9)


def test_no_memory_is_no_slots() -> None:
    slots = Slots(0)
    assert not slots.can_take(1)
    slots.check()


def test_a_span_that_is_given_twice_is_an_error() -> None:
    slots = Slots(4)
    span = slots.take(2)
    slots.give(span)
    with pytest.raises(KeyError):
        slots.give(span)


def test_random_use_keeps_the_books() -> None:
    random_numbers = random.Random(5)
    slots = Slots(64)
    taken: list[Span] = []
    for _ in range(500):
        size = random_numbers.randint(1, 20)
        if slots.can_take(size):
            taken.append(slots.take(size))
        elif taken:
            slots.give(taken.pop(random_numbers.randrange(len(taken))))
        slots.check()
        assert slots.free == 64 - sum(span.size for span in taken)
    for span in taken:
        slots.give(span)
    assert slots.take(64) == Span(0, 64)


def test_check_sees_slots_that_are_lost() -> None:
    slots = Slots(8)
    slots.take(3)
    slots._taken.clear()
    with pytest.raises(AssertionError, match="lost"):
        slots.check()
