from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from llmaas_server.runtime.blocks import Blocks, Prefix

SECRET = b"0123456789abcdef"


def keys(
    tokens: list[int], tenant: str = "a", size: int = 4, secret: bytes = SECRET
) -> list[bytes]:
    prefix = Prefix(secret, tenant, size)
    return [prefix.key(index, tokens) for index in range(len(tokens) // size)]


def test_a_key_stands_for_all_tokens_before_it() -> None:
    first, second = list(range(12)), [99, *range(1, 12)]
    assert keys(first) == keys(first)
    assert keys(first)[:2] == keys(first[:8])
    assert not set(keys(first)) & set(keys(second))


def test_no_tenant_has_a_key_of_another() -> None:
    tokens = list(range(12))
    assert not set(keys(tokens)) & set(keys(tokens, tenant="b"))
    assert not set(keys(tokens)) & set(keys(tokens, secret=b"another secret.."))


def test_keys_do_not_depend_on_where_numbers_are_parted() -> None:
    assert keys([1, 23, 4, 5]) != keys([12, 3, 4, 5])


def test_what_is_given_back_is_found_until_its_block_is_needed() -> None:
    blocks = Blocks(3, 4)
    wanted = keys(list(range(8)))
    held = [blocks.take(), blocks.take()]
    for block, key in zip(held, wanted, strict=True):
        blocks.publish(block, key)
    blocks.give(held)
    assert blocks.find(wanted) == held
    blocks.take()  # the one that was never used
    assert blocks.find(wanted) == held
    blocks.take()  # the end of a beginning goes before its beginning
    assert blocks.find(wanted) == held[:1]
    assert blocks.available == 1


def test_held_blocks_are_never_given_away() -> None:
    blocks = Blocks(2, 4)
    [key] = keys([1, 2, 3, 4])
    block = blocks.take()
    blocks.publish(block, key)
    blocks.hold(blocks.find([key]))
    blocks.give([block])
    assert blocks.available == 1
    blocks.take()
    assert blocks.available == 0
    assert blocks.find([key]) == [block]


@pytest.mark.parametrize("wrong", [[], [[0], [0]], [[1]]])
def test_check_sees_wrong_holders(wrong: list[list[int]]) -> None:
    blocks = Blocks(4, 4)
    held = [blocks.take()]
    blocks.check([held])
    with pytest.raises(AssertionError, match="held wrongly"):
        blocks.check(wrong)


class Machine(RuleBasedStateMachine):
    """Sequences that come, grow, publish and go, in any order: the books stay balanced."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = Blocks(6, 2)
        self.held: list[list[int]] = []
        self.names: dict[int, list[bytes]] = {}

    @rule(tokens=st.lists(st.integers(0, 1), min_size=2, max_size=8), tenant=st.sampled_from("ab"))
    def come(self, tokens: list[int], tenant: str) -> None:
        wanted = keys(tokens, tenant, size=2)
        found = self.blocks.find(wanted)
        kept = sum(map(self.blocks.is_kept, found))
        missing = len(wanted) - len(found)
        if missing > self.blocks.available - kept:
            return
        self.blocks.hold(found)
        blocks = found + [self.blocks.take() for _ in range(missing)]
        for block, key in zip(blocks, wanted, strict=True):
            self.blocks.publish(block, key)
        self.held.append(blocks)

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def grow(self, data: st.DataObject) -> None:
        if self.blocks.available:
            data.draw(st.sampled_from(self.held)).append(self.blocks.take())

    @precondition(lambda self: self.held)
    @rule(data=st.data())
    def go(self, data: st.DataObject) -> None:
        at = data.draw(st.integers(0, len(self.held) - 1))
        self.blocks.give(self.held.pop(at))

    @invariant()
    def balanced(self) -> None:
        self.blocks.check(self.held)
        assert self.blocks.available == 6 - len({block for held in self.held for block in held})


TestBooks = Machine.TestCase
TestBooks.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
