"""An encoder-decoder of transformers, run for one sequence at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import EncoderDecoderCache

from llmaas_server.errors import Problem

from .loader import LoadedModel


@dataclass(slots=True)
class Decoding:
    """The state of one sequence: its source, encoded, and the cache of its decoder."""

    encoded: Any
    """transformers' output of the encoder."""
    cache: Any = None


class EncoderDecoder:
    """Encodes a source once, then decodes token by token.

    Making one proves on a few tokens that the family works so, and measures its cache. Raises
    Problem `model_cannot_do_task` where it does not.
    """

    def __init__(self, model: LoadedModel) -> None:
        self._module = model.module
        self._device = model.device
        self._name = model.ref.name
        self.start_id = self._start_id()
        try:
            self._measure()
        except Problem:
            raise
        except Exception as error:
            raise self._refusal(f"{type(error).__name__}: {error}") from error

    def bytes_of(self, source_tokens: int, max_tokens: int) -> int:
        """Most memory of a sequence: the encoded source, its keys and values, the decoder's."""
        return self._source_bytes * source_tokens + self._token_bytes * max_tokens

    @torch.inference_mode()
    def encode(self, source: Sequence[int]) -> Decoding:
        encoder = self._module.get_encoder()
        return Decoding(encoder(input_ids=self._ids(source), return_dict=True))

    @torch.inference_mode()
    def decode(self, decoding: Decoding, token: int) -> Tensor:
        """float32 logits after one more token, [1, vocabulary]."""
        output = self._module(
            encoder_outputs=decoding.encoded,
            decoder_input_ids=self._ids([token]),
            past_key_values=decoding.cache,
            use_cache=True,
            return_dict=True,
        )
        decoding.cache = output.past_key_values
        logits: Tensor = output.logits[:, -1]
        return logits.float()

    def _ids(self, tokens: Sequence[int]) -> Tensor:
        return torch.tensor([tokens], dtype=torch.long, device=self._device)

    def _start_id(self) -> int:
        config = self._module.generation_config
        for start in (config.decoder_start_token_id, config.bos_token_id):
            if isinstance(start, int):
                return start
        raise self._refusal("its files name no token to start the decoder with")

    def _measure(self) -> None:
        source = [self.start_id] * 2
        decoding = self.encode(source)
        self.decode(decoding, self.start_id)
        if not isinstance(decoding.cache, EncoderDecoderCache):
            raise self._refusal("it keeps its keys and values elsewhere")
        hidden: Tensor = decoding.encoded.last_hidden_state
        cross = _bytes(decoding.cache.cross_attention_cache)
        self._source_bytes = (cross + hidden.nbytes) // hidden.shape[1]
        self._token_bytes = _bytes(decoding.cache.self_attention_cache)

    def _refusal(self, reason: str) -> Problem:
        return Problem(
            "model_cannot_do_task", f"the seq2seq lane cannot run {self._name!r}: {reason}"
        )


def _bytes(cache: Any) -> int:
    return sum(layer.keys.nbytes + layer.values.nbytes for layer in cache.layers)
