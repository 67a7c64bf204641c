"""Vectors of labels, kept with their model: the same labels come again with most requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import read
from llmaas_server.tasks.vectors import embed_all

MOST = 20_000
"""Vectors of one model. Of 384 numbers each: 30 MB."""

Key = tuple[str, str]
"""Tenant and phrase: what one tenant asked does not make an answer to another faster."""


class Kept:
    """The least recently used go first. For any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = Lock()
        self._vectors: OrderedDict[Key, Floats] = OrderedDict()

    def find(self, keys: Sequence[Key]) -> dict[Key, Floats]:
        with self._lock:
            found = {key: self._vectors[key] for key in keys if key in self._vectors}
            for key in found:
                self._vectors.move_to_end(key)
            return found

    def keep(self, vectors: dict[Key, Floats]) -> None:
        with self._lock:
            self._vectors |= vectors
            while len(self._vectors) > self._most:
                self._vectors.popitem(last=False)


_kept: WeakKeyDictionary[Model, Kept] = WeakKeyDictionary()


async def vectors_of(
    phrases: Sequence[str],
    tenant: str,
    model: Model,
    runtime: Runtime,
    caller: Caller,
    meter: Meter,
) -> Floats:
    """Unit vectors of phrases, [phrases, hidden]; those that are not kept are embedded.

    `tenant` is whose phrases they are, empty for ours. What is longer than the context is read
    in windows.
    """
    kept = _kept.setdefault(model, Kept())
    keys = [(tenant, phrase) for phrase in phrases]
    found = kept.find(keys)
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    if missing:
        words = [phrase for _, phrase in missing]
        windows = await asyncio.to_thread(read, words, model.tokenizer, model.context)
        vectors = await embed_all(windows.sequences, model, runtime, caller, meter)
        fresh = dict(zip(missing, windows.pool(vectors), strict=True))
        kept.keep(fresh)
        found |= fresh
    return np.stack([found[key] for key in keys])
