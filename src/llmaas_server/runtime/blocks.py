"""Accounts of KV memory: which blocks are held, by how many, and which can be used again.

A block holds the keys and values of `size` neighbouring tokens in every layer. No torch here: the
decoders hold the tensors, this file holds the books.

    free                nothing in it that anyone could use
    held                by one sequence, or by several with the same beginning
    kept                held by none, but a sequence that begins alike can use it; the least
                        recently used one is given away when none is free
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from hashlib import blake2b

Key = bytes
"""Stands for a block's tokens and all that come before them, within one tenant."""


class Prefix:
    """The keys of a sequence's full blocks, one after another.

    A key is a keyed hash of the tenant and of all tokens up to the block's end: equal keys mean
    equal keys and values, and no tenant's key is another's.
    """

    def __init__(self, secret: bytes, tenant: str, size: int) -> None:
        self._size = size
        self._secret = secret
        self._last = blake2b(tenant.encode(), key=secret, digest_size=16).digest()
        self._keys: list[Key] = []

    def key(self, index: int, tokens: Sequence[int]) -> Key:
        """Of block `index`, which `tokens` fill; tokens that have a key do not change."""
        while len(self._keys) <= index:
            at = len(self._keys) * self._size
            content = ",".join(map(str, tokens[at : at + self._size])).encode()
            self._last = blake2b(self._last + content, key=self._secret, digest_size=16).digest()
            self._keys.append(self._last)
        return self._keys[index]


class Blocks:
    """`capacity` blocks of `size` tokens each."""

    def __init__(self, capacity: int, size: int) -> None:
        self.capacity = max(0, capacity)
        self.size = size
        # Taken from the end: neighbours for those who take several.
        self._free = list(range(self.capacity - 1, -1, -1))
        self._holders: Counter[int] = Counter()
        self._kept: OrderedDict[int, None] = OrderedDict()
        self._by_key: dict[Key, int] = {}
        self._keys: dict[int, Key] = {}

    @property
    def available(self) -> int:
        """Blocks that can be taken now."""
        return len(self._free) + len(self._kept)

    @property
    def held(self) -> int:
        """Blocks of one sequence or several."""
        return len(self._holders)

    @property
    def kept(self) -> int:
        """Blocks of nobody that a sequence which begins alike would find."""
        return len(self._kept)

    @property
    def tokens(self) -> int:
        """That fit into all blocks together."""
        return self.capacity * self.size

    def of(self, tokens: int) -> int:
        """Blocks that so many tokens need."""
        return -(-tokens // self.size)

    def take(self) -> int:
        """A block for one sequence; assumes that one is available."""
        if not self._free:
            oldest, _ = self._kept.popitem(last=False)
            del self._by_key[self._keys.pop(oldest)]
            self._free.append(oldest)
        block = self._free.pop()
        self._holders[block] = 1
        return block

    def find(self, keys: Iterable[Key]) -> list[int]:
        """Blocks that have the first of these keys, until one is not there; nothing is held."""
        found: list[int] = []
        for key in keys:
            block = self._by_key.get(key)
            if block is None:
                break
            found.append(block)
        return found

    def hold(self, blocks: Iterable[int]) -> None:
        """One more sequence uses these blocks that were found."""
        for block in blocks:
            self._kept.pop(block, None)
            self._holders[block] += 1

    def is_kept(self, block: int) -> bool:
        """Whether it is available until somebody holds it."""
        return block in self._kept

    def publish(self, block: int, key: Key) -> None:
        """The block is full and computed: sequences that begin alike may use it from now on.

        The first block of a key is the one that is found; another with the same key stays
        its holder's own.
        """
        if block not in self._keys and key not in self._by_key:
            self._by_key[key] = block
            self._keys[block] = key

    def give(self, blocks: Iterable[int]) -> None:
        """One sequence needs these no more. The last of them are the first to be given away."""
        for block in reversed(list(blocks)):
            self._holders[block] -= 1
            if self._holders[block]:
                continue
            del self._holders[block]
            if block in self._keys:
                self._kept[block] = None
            else:
                self._free.append(block)

    def check(self, held: Iterable[Sequence[int]]) -> None:
        """Raise AssertionError unless every block is in exactly one place, and is held by as many
        as hold it; `held` are the blocks of each sequence."""
        holders = Counter(block for blocks in held for block in blocks)
        assert holders == self._holders, f"blocks held wrongly: {holders - self._holders}"
        places = [*self._free, *self._kept, *self._holders]
        assert sorted(places) == list(range(self.capacity)), "blocks are lost or counted twice"
        assert set(self._kept) <= set(self._keys), "a block is kept that nobody can find"
        named = {block: key for key, block in self._by_key.items()}
        assert named == self._keys, "keys and blocks do not belong together"
        assert not set(self._free) & set(self._keys), "a free block has a key"
