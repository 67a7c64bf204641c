"""From logits to tokens: penalties, temperature, top-k, top-p, min-p, and the draw.

Each filter does what transformers' logits processor of that name does, in the order in which
`transformers.generate` applies them. All work on float32, [rows, vocabulary]. On a CPU `draw` draws
row by row; the tensors here are for other devices, and what `draw` is held to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import torch
from torch import Tensor

from .draw import Row, allow, draw, penalize
from .grammar import Mask
from .request import Sampling, Token

_GREEDY_BELOW = 1e-5
"""Temperatures that would overflow mean the same as 0."""

_NUCLEI = (64, 1024)
"""Most likely tokens that often, and nearly always, hold all of top_p: far fewer to sort."""


@dataclass(frozen=True, slots=True)
class Draw:
    """How to draw one row's token."""

    sampling: Sampling
    seed: int
    """That of `sampling`, or a fresh one where it names none."""
    count: int
    """Tokens of the sequence drawn before this one."""
    seen: Sequence[int]
    """Prompt and answer so far, for the repetition penalty."""
    top_logprobs: int | None = None
    mask: Mask | None = None
    """The tokens that may come; log-probabilities do not depend on it."""


def sample(logits: Tensor, draws: Sequence[Draw]) -> list[Token | None]:
    """One token for each row, with the log-probabilities asked for; None where the logits are
    not numbers."""
    drawn = _draw_rows(logits, draws) if logits.device.type == "cpu" else _draw(logits, draws)
    return [
        None if token is None else _token(row, token, one.top_logprobs)
        for row, token, one in zip(logits, drawn, draws, strict=True)
    ]


def logprobs(logits: Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Natural log-probability of each token after the row beside it."""
    at = torch.tensor(rows, dtype=torch.long, device=logits.device)
    ids = torch.tensor(tokens, dtype=torch.long, device=logits.device)
    found: list[float] = (logits[at, ids] - logits.logsumexp(-1)[at]).tolist()
    return found


def filter_logits(logits: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Logits from which to draw: what is filtered out is -inf. Greedy rows are only penalized
    and masked."""
    scores = _allow(_penalize(logits, draws), draws)
    hot = [row for row, draw in enumerate(draws) if not is_greedy(draw.sampling)]
    if hot:
        scores = scores.clone()
        scores[hot] /= _column([draws[row].sampling.temperature for row in hot], scores)
        _keep_top_k(scores, {row: k for row in hot if (k := draws[row].sampling.top_k)})
        _keep_top_p(scores, {row: p for row in hot if (p := draws[row].sampling.top_p) < 1})
        _keep_min_p(scores, {row: p for row in hot if (p := draws[row].sampling.min_p) > 0})
    return scores


def is_greedy(sampling: Sampling) -> bool:
    return sampling.temperature < _GREEDY_BELOW


def uniform(seed: int, count: int) -> float:
    """The number in [0, 1) that belongs to the draw `count` of `seed`, whatever else is drawn."""
    digest = blake2b(f"{seed}:{count}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 11) / (1 << 53)


def _draw_rows(logits: Tensor, draws: Sequence[Draw]) -> list[int | None]:
    return [_draw_row(row, one) for row, one in zip(logits.numpy(), draws, strict=True)]


def _draw_row(scores: Row, one: Draw) -> int | None:
    if not np.isfinite(scores.max()):
        return None
    sampling = one.sampling
    if sampling.repetition_penalty != 1:
        scores = penalize(scores, one.seen, sampling.repetition_penalty)
    if one.mask is not None:
        scores = allow(scores, one.mask)
    if is_greedy(sampling):
        return int(scores.argmax())
    return draw(scores, sampling, uniform(one.seed, one.count))


def _draw(logits: Tensor, draws: Sequence[Draw]) -> list[int | None]:
    sound = torch.isfinite(logits.amax(-1)).tolist()
    scores = filter_logits(torch.nan_to_num(logits) if not all(sound) else logits, draws)
    ids: list[int] = scores.argmax(-1).tolist()
    hot = [row for row, draw in enumerate(draws) if not is_greedy(draw.sampling)]
    if hot:
        # Inverse of the distribution function, in the order of the vocabulary.
        mass = scores[hot].softmax(-1).cumsum(-1)
        whole = mass[:, -1:]
        numbers = [uniform(draws[row].seed, draws[row].count) for row in hot]
        # Below the whole even where rounding would reach it: beyond it there is no token.
        at = torch.minimum(_column(numbers, mass) * whole, whole.nextafter(torch.zeros_like(whole)))
        drawn = torch.searchsorted(mass, at, right=True)
        for row, token in zip(hot, drawn[:, 0].tolist(), strict=True):
            ids[row] = token
    return [id if is_sound else None for id, is_sound in zip(ids, sound, strict=True)]


def _token(logits: Tensor, token: int, top: int | None) -> Token:
    if top is None:
        return Token(token)
    probabilities = logits.log_softmax(-1)
    found = probabilities.topk(min(top, logits.shape[0]))
    best = zip(found.indices.tolist(), found.values.tolist(), strict=True)
    return Token(token, float(probabilities[token]), tuple(best))


def _penalize(logits: Tensor, draws: Sequence[Draw]) -> Tensor:
    penalized = [row for row, draw in enumerate(draws) if draw.sampling.repetition_penalty != 1]
    scores = logits.clone() if penalized else logits
    for row in penalized:
        penalty = draws[row].sampling.repetition_penalty
        seen = torch.tensor(draws[row].seen, device=logits.device)
        found = scores[row, seen]
        scores[row, seen] = torch.where(found < 0, found * penalty, found / penalty)
    return scores


def _allow(scores: Tensor, draws: Sequence[Draw]) -> Tensor:
    """Keep what the masks allow; a model may have logits of more tokens than its tokenizer has."""
    masks = {row: draw.mask for row, draw in enumerate(draws) if draw.mask is not None}
    scores = scores.clone() if masks else scores
    for row, mask in masks.items():
        allowed = torch.from_numpy(mask[: scores.shape[1]]).to(scores.device)
        scores[row, : len(allowed)].masked_fill_(~allowed, -torch.inf)
        scores[row, len(allowed) :] = -torch.inf
    return scores


def _keep_top_k(scores: Tensor, limits: dict[int, int]) -> None:
    for row, limit in limits.items():
        least = scores[row].topk(min(limit, scores.shape[1])).values[-1]
        scores[row].masked_fill_(scores[row] < least, -torch.inf)


def _keep_top_p(scores: Tensor, limits: dict[int, float]) -> None:
    """Keep the most likely tokens until those before them hold `top_p` of the mass."""
    if not limits:
        return
    rows, limit = list(limits), _column(list(limits.values()), scores)
    probabilities = scores[rows].softmax(-1)
    for size in (*_NUCLEI, scores.shape[1]):
        best, ids = probabilities.topk(min(size, scores.shape[1]))
        if bool((best.sum(-1, keepdim=True) >= limit).all()):
            break
    kept = torch.zeros_like(probabilities, dtype=torch.bool)
    kept.scatter_(1, ids, best.cumsum(-1) - best < limit)
    kept.scatter_(1, ids[:, :1], True)
    scores[rows] = scores[rows].masked_fill(~kept, -torch.inf)


def _keep_min_p(scores: Tensor, limits: dict[int, float]) -> None:
    if not limits:
        return
    rows, limit = list(limits), _column(list(limits.values()), scores)
    probabilities = scores[rows].softmax(-1)
    unlikely = probabilities < limit * probabilities.amax(-1, keepdim=True)
    scores[rows] = scores[rows].masked_fill(unlikely, -torch.inf)


def _column(numbers: list[float], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=like.dtype, device=like.device)[:, None]
