"""What a seq2seq model's generation config demands of its output, as transformers applies it.

Honoured: forced_bos_token_id, forced_eos_token_id, no_repeat_ngram_size, min_length,
min_new_tokens, bad_words_ids, suppress_tokens, begin_suppress_tokens. Not honoured: whatever
searches or ranks (num_beams, num_beam_groups, length_penalty, early_stopping, …): where a config
asks for beams, the answer is the greedy one or a sample; and encoder_* penalties.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from transformers.generation import logits_process as process

Constraint = Callable[[Tensor, Tensor], Tensor]
"""Decoder ids [1, tokens] and logits [1, vocabulary] -> logits."""


def constraints_of(config: Any, max_tokens: int, device: torch.device) -> list[Constraint]:
    """In the order of transformers' generate. `max_tokens` does not count the start token.

    A least length that max_tokens leaves no room for is ignored: the caller's limit goes first.
    """
    return list(_demanded(config, _listed(config.eos_token_id), max_tokens, device))


def _demanded(
    config: Any, eos: list[int], max_tokens: int, device: torch.device
) -> Iterator[Constraint]:
    if config.no_repeat_ngram_size:
        yield process.NoRepeatNGramLogitsProcessor(config.no_repeat_ngram_size)
    if config.bad_words_ids:
        yield process.NoBadWordsLogitsProcessor(config.bad_words_ids, eos)
    if eos and 0 < (config.min_length or 0) <= max_tokens:  # counts the start token
        yield process.MinLengthLogitsProcessor(config.min_length, eos, device=device)
    if eos and 0 < (config.min_new_tokens or 0) < max_tokens:
        yield process.MinNewTokensLengthLogitsProcessor(
            1, config.min_new_tokens, eos, device=device
        )
    if config.forced_bos_token_id is not None:
        yield process.ForcedBOSTokenLogitsProcessor(config.forced_bos_token_id)
    if config.forced_eos_token_id is not None:
        yield process.ForcedEOSTokenLogitsProcessor(
            max_tokens + 1, config.forced_eos_token_id, device=device
        )
    if config.suppress_tokens:
        yield process.SuppressTokensLogitsProcessor(config.suppress_tokens, device=device)
    if config.begin_suppress_tokens:
        begin = 1 if config.forced_bos_token_id is None else 2
        yield process.SuppressTokensAtBeginLogitsProcessor(
            config.begin_suppress_tokens, begin, device=device
        )


def _listed(value: int | list[int] | None) -> list[int]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
