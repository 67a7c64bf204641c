"""Draws on the device where the logits are: the host waits once, for what was drawn.

The rules are those of `runtime.distribution`, row by row in tensors, and so are the tokens.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from llmaas_server.runtime.draw import Draw, is_greedy, uniform
from llmaas_server.runtime.request import Token

_NUMBERS = torch.float64
"""What ids, flags and log-probabilities travel as together: it holds each of them exactly."""


def sample(logits: Tensor, draws: Sequence[Draw]) -> list[Token | None]:
    """One token for each row of float32 logits, with the log-probabilities asked for; None where
    the logits are not numbers."""
    sound = torch.isfinite(logits.amax(-1))
    scores = _allow(_penalize(torch.nan_to_num(logits), draws), draws)
    hot = [row for row, draw in enumerate(draws) if not is_greedy(draw.sampling)]
    ids = scores.argmax(-1)
    if hot:
        rows = _move(torch.tensor(hot), logits)
        ids[rows] = _draw(_filter(scores[rows], [draws[row] for row in hot]), draws, hot)
    most = max((draw.top_logprobs or 0 for draw in draws), default=0)
    columns = [sound[:, None], ids[:, None]]
    if any(draw.top_logprobs is not None for draw in draws):
        columns += _logprobs(logits, ids, min(most, logits.shape[1]))
    found = torch.cat([column.to(_NUMBERS) for column in columns], 1).tolist()
    return [_token(row, draw, most) for row, draw in zip(found, draws, strict=True)]


def _draw(scores: Tensor, draws: Sequence[Draw], hot: list[int]) -> Tensor:
    """Inverse of the distribution function, in the order of the vocabulary."""
    mass = scores.softmax(-1).cumsum(-1)
    whole = mass[:, -1:]
    numbers = _column([uniform(draws[row].seed, draws[row].count) for row in hot], mass)
    at = torch.minimum(numbers * whole, whole.nextafter(torch.zeros_like(whole)))
    return torch.searchsorted(mass, at, right=True)[:, 0]


def _filter(scores: Tensor, draws: Sequence[Draw]) -> Tensor:
    """What is not to be drawn becomes -inf: by temperature, top-k, top-p, then min-p."""
    samplings = [draw.sampling for draw in draws]
    scores = scores / _column([one.temperature for one in samplings], scores)
    size = scores.shape[1]
    if any(one.top_k for one in samplings):
        limits = [min(one.top_k or 0, size) for one in samplings]
        best = scores.topk(max(limits)).values
        last = _move(torch.tensor(limits), scores)[:, None] - 1
        least = best.gather(1, last.clamp(min=0)).masked_fill(last < 0, -torch.inf)
        scores = scores.masked_fill(scores < least, -torch.inf)
    if any(one.top_p < 1 for one in samplings):
        limit = _column([one.top_p if one.top_p < 1 else 2.0 for one in samplings], scores)
        ordered, order = scores.softmax(-1).sort(-1, descending=True)
        kept = ordered.cumsum(-1) - ordered < limit
        kept[:, 0] = True
        allowed = torch.zeros_like(kept).scatter_(1, order, kept)
        scores = scores.masked_fill(~allowed, -torch.inf)
    if any(one.min_p > 0 for one in samplings):
        probabilities = scores.softmax(-1)
        limit = _column([one.min_p for one in samplings], scores)
        unlikely = probabilities < limit * probabilities.amax(-1, keepdim=True)
        scores = scores.masked_fill(unlikely, -torch.inf)
    return scores


def _penalize(scores: Tensor, draws: Sequence[Draw]) -> Tensor:
    penalized = [
        (row, draw) for row, draw in enumerate(draws) if draw.sampling.repetition_penalty != 1
    ]
    if not penalized:
        return scores
    seen = [(row, token, draw) for row, draw in penalized for token in set(draw.seen)]
    places = _move(torch.tensor([[row, token] for row, token, _ in seen]), scores)
    penalty = _column([draw.sampling.repetition_penalty for *_, draw in seen], scores)[:, 0]
    found = scores[places[:, 0], places[:, 1]]
    changed = torch.where(found < 0, found * penalty, found / penalty)
    return scores.index_put((places[:, 0], places[:, 1]), changed)


def _allow(scores: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Keep what the masks allow; a model may have logits of more tokens than its tokenizer has."""
    masked = [(row, draw.mask) for row, draw in enumerate(draws) if draw.mask is not None]
    if not masked:
        return scores
    allowed = np.zeros((len(masked), scores.shape[1]), dtype=bool)
    for row, (_, mask) in enumerate(masked):
        known = mask[: scores.shape[1]]
        allowed[row, : len(known)] = known
    rows = _move(torch.tensor([row for row, _ in masked]), scores)
    forbidden = ~_move(torch.from_numpy(allowed), scores)
    return scores.index_put((rows,), scores[rows].masked_fill(forbidden, -torch.inf))


def _logprobs(logits: Tensor, ids: Tensor, most: int) -> list[Tensor]:
    """Columns: of the token itself, then the ids of the best and their log-probabilities."""
    found = logits.log_softmax(-1)
    best = found.topk(most)
    return [found.gather(1, ids[:, None]), best.indices, best.values]


def _token(row: list[float], draw: Draw, most: int) -> Token | None:
    sound, id, *rest = row
    if not sound:
        return None
    if draw.top_logprobs is None:
        return Token(int(id))
    width = (len(rest) - 1) // 2
    best = zip(map(int, rest[1 : 1 + width]), rest[1 + width :], strict=True)
    return Token(int(id), rest[0], tuple(best)[: draw.top_logprobs])


def _column(numbers: list[float], like: Tensor) -> Tensor:
    return _move(torch.tensor(numbers, dtype=like.dtype), like)[:, None]


def _move(tensor: Tensor, like: Tensor) -> Tensor:
    """Onto the device; the host does not wait."""
    if like.is_cuda:
        return tensor.pin_memory().to(like.device, non_blocking=True)
    return tensor
