"""One row's draw on a CPU: penalty, mask, temperature, top-k, top-p, min-p, and the draw.

Each does what transformers' logits processor of that name does, in the order in which
`transformers.generate` applies them. A row fits the processor's cache, and nothing is sorted but
the few most likely tokens: each filter comes down to the least that a token needs to stay, and
tokens as likely as that stay, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .draw import Draw, is_greedy, uniform
from .request import Sampling

Row = NDArray[np.float32]
"""[vocabulary]"""

_SHORT = 64
"""Most likely tokens that often hold all of top_p."""

_HEIGHT = 32
"""Rows of the table whose columns' largest numbers tell where the largest of all are."""

_BLOCK = 256
"""Weights that are summed up before one of them is looked for."""


def draw(logits: Row, how: Draw) -> int | None:
    """The token that belongs to the draw's number, in the order of the vocabulary; None where the
    logits are not numbers."""
    if not np.isfinite(logits.max()):
        return None
    scores = logits
    if how.sampling.repetition_penalty != 1:
        scores = _penalize(scores, how.seen, how.sampling.repetition_penalty)
    # A model may have logits of more tokens than its tokenizer has.
    mask = None if how.mask is None else how.mask[: len(scores)]
    allowed = 0 if mask is None else np.count_nonzero(mask)
    if mask is None or allowed == 0:  # a grammar that failed, as its matcher will say
        return _draw(scores, how)
    if 2 * allowed < len(mask):
        ids = np.flatnonzero(mask)
        return int(ids[_draw(scores[ids], how)])
    scores = scores.copy()
    scores[np.flatnonzero(~mask)] = scores[len(mask) :] = -np.inf
    return _draw(scores, how)


def _draw(scores: Row, how: Draw) -> int:
    if is_greedy(how.sampling):
        return int(scores.argmax())
    ids, weights = distribution(scores, how.sampling)
    at = _find(weights, uniform(how.seed, how.count))
    return at if ids is None else int(ids[at])


def distribution(scores: Row, sampling: Sampling) -> tuple[NDArray[np.intp] | None, Row]:
    """The tokens that temperature, top-k, top-p and min-p leave, and their weights; None: all.

    The largest weight is 1.
    """
    ids = None
    top = scores.max()
    if sampling.top_k and sampling.top_k < len(scores):
        ids = np.flatnonzero(scores >= _largest(scores, sampling.top_k)[-1])
        scores = scores[ids]
    weights = np.exp((scores - top) / np.float32(sampling.temperature))
    least = sampling.min_p
    if sampling.top_p < 1:
        least = max(least, _least_of_nucleus(weights, sampling.top_p))
    if least > 0:
        kept = np.flatnonzero(weights >= least)
        ids = kept if ids is None else ids[kept]
        weights = weights[kept]
    return ids, weights


def _penalize(logits: Row, seen: Sequence[int], penalty: float) -> Row:
    ids = np.array(seen, dtype=np.intp)
    found = logits[ids]
    scores = logits.copy()
    scores[ids] = np.where(found < 0, found * penalty, found / penalty)
    return scores


def _least_of_nucleus(weights: Row, top_p: float) -> float:
    """Of the most likely tokens until those before the next hold `top_p` of the mass."""
    total = float(weights.sum())
    limit = top_p * total
    best = _largest(weights, min(_SHORT, len(weights)))
    mass = best.cumsum(dtype=np.float64)
    if mass[-1] < limit:
        # All that are less likely than this together hold less than what may be left out.
        ids = np.flatnonzero(weights >= (total - limit) / len(weights))
        best = np.sort(weights[ids])[::-1]
        mass = best.cumsum(dtype=np.float64)
    # At the last where rounding says that all together are not enough.
    return float(best[min(int(mass.searchsorted(limit)), len(best) - 1)])


def _largest(values: Row, count: int) -> Row:
    """The `count` largest, the largest first."""
    width = len(values) // _HEIGHT
    if count < width // 2:
        # They lie in the `count` columns whose largest are the largest, or after the table.
        table = values[: _HEIGHT * width].reshape(_HEIGHT, width)
        columns = np.argpartition(table.max(0), width - count)[-count:]
        values = np.concatenate((table[:, columns].ravel(), values[_HEIGHT * width :]))
    return np.sort(np.partition(values, len(values) - count)[-count:])[::-1]


def _find(weights: Row, number: float) -> int:
    """Where the running sum of the weights passes that share of the whole."""
    sums = np.add.reduceat(weights, np.arange(0, len(weights), _BLOCK), dtype=np.float64)
    ends = sums.cumsum()
    rest = number * ends[-1]
    block = _passes(ends, rest)
    within = weights[block * _BLOCK : (block + 1) * _BLOCK].cumsum(dtype=np.float64)
    return block * _BLOCK + _passes(within, rest - (ends[block - 1] if block else 0.0))


def _passes(ends: NDArray[np.float64], at: Any) -> int:
    # Below the whole even where rounding would reach it: beyond it there is nothing.
    return int(ends.searchsorted(min(at, np.nextafter(ends[-1], 0.0)), side="right"))
