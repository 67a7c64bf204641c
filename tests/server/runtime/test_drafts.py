from __future__ import annotations

from llmaas_server.runtime.drafts import FIRST, MOST, PAUSE, Drafts


def test_what_followed_the_same_tokens_is_the_guess() -> None:
    assert Drafts().after([1, 2, 3, 4, 5, 6, 9, 1, 2, 3], most=8) == [4, 5, 6][:FIRST]


def test_the_last_place_counts_and_the_longer_match() -> None:
    assert Drafts().after([1, 2, 7, 1, 2, 8, 1, 2], most=1) == [8]
    assert Drafts().after([5, 1, 2, 7, 1, 2, 8, 5, 1, 2], most=1) == [7]


def test_nothing_repeats_nothing_is_guessed() -> None:
    assert Drafts().after([1, 2, 3, 4, 5], most=8) == []
    assert Drafts().after([], most=8) == []
    assert Drafts().after([1, 1], most=8) == []


def test_a_guess_may_reach_into_what_it_repeats() -> None:
    assert Drafts().after([1, 2, 1, 2, 1, 2], most=3) == [1, 2]


def test_no_more_than_asked_for() -> None:
    assert Drafts().after([1, 2, 3, 4, 1, 2], most=1) == [3]
    assert Drafts().after([1, 2, 3, 4, 1, 2], most=0) == []


def test_good_guesses_grow_and_bad_ones_pause() -> None:
    drafts, tokens = Drafts(), [*range(20), 0, 1, 2]
    assert len(drafts.after(tokens, most=99)) == FIRST
    drafts.learn(FIRST, FIRST)
    tokens += [3, 4, 5, 6]
    assert len(drafts.after(tokens, most=99)) == min(MOST, 2 * FIRST + 1)
    drafts.learn(5, 0)
    tokens += [50, 0, 1, 2]
    assert drafts.after(tokens, most=99) == []
    tokens += [60] * PAUSE + [4, 5, 6]
    assert drafts.after(tokens, most=99) == [50, 0, 1]
