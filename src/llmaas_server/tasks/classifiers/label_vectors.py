"""Vectors of labels, kept with their model: the same labels come again with most requests."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np

from llmaas_server.runtime.interface import Floats, Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.windows import read
from llmaas_server.tasks.vectors import embed_all

from .base import Scores
from .label_words import SENSE_SHARE, LabelWords, Phrases, background

MOST = 10_000
"""Labels of one model. Of 384 numbers each: 30 MB."""

Key = tuple[str, LabelWords]
"""Tenant and label: what one tenant asked does not make an answer to another faster."""


@dataclass(frozen=True, slots=True)
class LabelVector:
    prototype: Scores
    """The unit vector that stands for the label, [hidden]."""
    background: float
    """Its mean cosine to sentences about everything and nothing."""


class Kept:
    """The least recently used go first. For any thread."""

    def __init__(self, most: int = MOST) -> None:
        self.neutral: Floats | None = None
        """Unit vectors of the background, [sentences, hidden]."""
        self._most = most
        self._lock = Lock()
        self._labels: OrderedDict[Key, LabelVector] = OrderedDict()

    def find(self, keys: Sequence[Key]) -> dict[Key, LabelVector]:
        with self._lock:
            found = {key: self._labels[key] for key in keys if key in self._labels}
            for key in found:
                self._labels.move_to_end(key)
            return found

    def keep(self, labels: Mapping[Key, LabelVector]) -> None:
        with self._lock:
            self._labels |= labels
            while len(self._labels) > self._most:
                self._labels.popitem(last=False)


_kept: WeakKeyDictionary[Model, Kept] = WeakKeyDictionary()


async def vectors_of(
    labels: Sequence[LabelWords], model: Model, runtime: Runtime, caller: Caller
) -> tuple[Scores, Scores]:
    """Prototypes, [labels, hidden], and their cosines to the background, [labels].

    What is not kept is embedded; a phrase that is longer than the context in windows.
    """
    kept = _kept.setdefault(model, Kept())
    keys = [(caller.tenant, label) for label in labels]
    found = kept.find(keys)
    missing = [key for key in dict.fromkeys(keys) if key not in found]
    if missing:
        if kept.neutral is None:
            kept.neutral = np.stack(
                [*(await _embed(background(), model, runtime, caller)).values()]
            )
        fresh = await _label_vectors(
            [label for _, label in missing], kept.neutral, model, runtime, caller
        )
        made = dict(zip(missing, fresh, strict=True))
        kept.keep(made)
        found |= made
    vectors = [found[key] for key in keys]
    prototypes = np.stack([vector.prototype for vector in vectors])
    return prototypes, np.array([vector.background for vector in vectors])


async def _label_vectors(
    labels: Sequence[LabelWords], neutral: Floats, model: Model, runtime: Runtime, caller: Caller
) -> list[LabelVector]:
    phrases = [phrase for label in labels for phrase, _ in (*label.phrases, *label.sense)]
    vectors = await _embed(phrases, model, runtime, caller)
    made: list[LabelVector] = []
    for label in labels:
        prototype = _mean(label.phrases, vectors)
        if label.sense:
            prototype = _unit(_mean(label.sense, vectors) + SENSE_SHARE * prototype)
        made.append(LabelVector(prototype, float((neutral.astype(np.float64) @ prototype).mean())))
    return made


async def _embed(
    phrases: Sequence[str], model: Model, runtime: Runtime, caller: Caller
) -> dict[str, Floats]:
    """The unit vector of each phrase."""
    once = list(dict.fromkeys(phrases))
    windows = await asyncio.to_thread(read, once, model.tokenizer, model.context)
    # Labels are charged as they were given, by the caller of this: not for our words.
    vectors = await embed_all(windows.sequences, model, runtime, caller, Meter())
    return dict(zip(once, windows.pool(vectors), strict=True))


def _mean(phrases: Phrases, vectors: Mapping[str, Floats]) -> Scores:
    weights = np.array([weight for _, weight in phrases])
    return _unit(weights @ np.stack([vectors[phrase] for phrase, _ in phrases]).astype(np.float64))


def _unit(vector: Scores) -> Scores:
    unit: Scores = vector / max(float(np.linalg.norm(vector)), 1e-12)
    return unit
