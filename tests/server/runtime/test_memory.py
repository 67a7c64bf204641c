"""The accounts of memory: what fits, who goes, what a refusal says."""

from __future__ import annotations

from itertools import product

import pytest

from llmaas_server.runtime.memory import Budget, Holding, Size, mib

MIB = 1 << 20


def held(name: str, bytes: int, used: float = 0.0, *, free: bool = True) -> Holding:
    return Holding(name, Size(bytes), used, free)


A, B, C = held("a", 40, 1), held("b", 30, 2), held("c", 20, 3)


def busy(one: Holding) -> Holding:
    return Holding(one.name, one.size, one.used, free=False)


@pytest.mark.parametrize(
    ("needed", "holdings", "leaving"),
    [
        (10, [A, B, C], ""),  # there is room: nobody goes
        (100, [], ""),
        (11, [A, B, C], "a"),  # the least recently used
        (50, [A, B, C], "a"),
        (51, [A, B, C], "ab"),
        (100, [A, B, C], "abc"),
        (11, [C, B, A], "a"),  # the order of the list is nothing
        (11, [busy(A), B, C], "b"),  # one in use stays
        (60, [busy(A), B, C], "bc"),
        (30, [C, held("old", 10, 0), held("large", 70, 1)], "large"),  # the small old one stays
    ],
)
def test_who_goes(needed: int, holdings: list[Holding], leaving: str | list[str]) -> None:
    budget = Budget(100)
    assert budget.can_hold(Size(needed), holdings)
    names = [one.name for one in budget.leavers(Size(needed), holdings)]
    assert names == ([leaving] if leaving == "large" else list(leaving))


@pytest.mark.parametrize(
    ("needed", "holdings", "fits"),
    [
        (100, [], True),
        (101, [], False),
        (60, [busy(A), B, C], True),
        (61, [busy(A), B, C], False),
        (1, [held("over", 120, free=False)], False),
        (100, [held("over", 120)], True),
    ],
)
def test_whether_it_can_be_held(needed: int, holdings: list[Holding], fits: bool) -> None:
    assert Budget(100).can_hold(Size(needed), holdings) is fits


def test_keys_and_values_count() -> None:
    assert Size(60, 40).total == 100
    assert not Budget(100).can_hold(Size(61, 40), [])


def test_after_leaving_there_is_room_and_none_goes_needlessly() -> None:
    budget = Budget(10)
    for sizes in product(range(1, 5), repeat=3):
        for frees in product([True, False], repeat=3):
            holdings = [
                held(str(index), size, index, free=free)
                for index, (size, free) in enumerate(zip(sizes, frees, strict=True))
            ]
            for needed in (Size(size) for size in range(1, 11)):
                if not budget.can_hold(needed, holdings):
                    continue
                leaving = budget.leavers(needed, holdings)
                staying = [one for one in holdings if one not in leaving]
                assert budget.holds(needed, staying)
                assert all(one.free for one in leaving)
                for one in leaving:
                    assert not budget.holds(needed, [*staying, one])


def test_refusal_of_what_never_fits() -> None:
    problem = Budget(100 * MIB).refusal("big", Size(90 * MIB, 20 * MIB), [])
    assert problem.code == "out_of_memory"
    assert problem.message == (
        "the model 'big' needs about 90 MiB for its weights and 20 MiB for keys and values, "
        "and all models may take 100 MiB"
    )
    assert "memory_bytes" in problem.hint
    assert "kv_bytes" in problem.hint


def test_refusal_while_others_are_in_use_names_them() -> None:
    holdings = [held("chat", 50 * MIB, free=False), held("idle", 10 * MIB)]
    problem = Budget(100 * MIB).refusal("big", Size(60 * MIB), holdings)
    assert problem.message == (
        "the model 'big' needs about 60 MiB for its weights; of the 100 MiB for all models, "
        "those in use or pinned hold 50 MiB (chat 50 MiB)"
    )
    assert "kv_bytes" not in problem.hint


def test_mebibytes() -> None:
    assert mib(3 * MIB) == "3 MiB"
