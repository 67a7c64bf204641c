"""From logits to tokens, on the device where the logits are."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from . import distribution
from .cuda import sampling
from .draw import Draw
from .request import Token


def sample(logits: Tensor, draws: Sequence[Draw]) -> list[Token | None]:
    """One token for each row of float32 logits, with the log-probabilities asked for; None where
    the logits are not numbers."""
    if logits.device.type != "cpu":
        return sampling.sample(logits, draws)
    return [_sample_row(row, draw) for row, draw in zip(logits, draws, strict=True)]


def logprobs(logits: Tensor, rows: Sequence[int], tokens: Sequence[int]) -> list[float]:
    """Natural log-probability of each token after the row beside it."""
    at = torch.tensor(rows, dtype=torch.long, device=logits.device)
    ids = torch.tensor(tokens, dtype=torch.long, device=logits.device)
    found: list[float] = (logits[at, ids] - logits.logsumexp(-1)[at]).tolist()
    return found


def _sample_row(logits: Tensor, draw: Draw) -> Token | None:
    token = distribution.draw(logits.numpy(), draw)
    return None if token is None else _token(logits, token, draw.top_logprobs)


def _token(logits: Tensor, token: int, top: int | None) -> Token:
    if top is None:
        return Token(token)
    probabilities = logits.log_softmax(-1)
    found = probabilities.topk(min(top, logits.shape[0]))
    best = zip(found.indices.tolist(), found.values.tolist(), strict=True)
    return Token(token, float(probabilities[token]), tuple(best))
