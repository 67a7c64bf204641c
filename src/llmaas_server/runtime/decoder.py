"""A decoder model of transformers, run over packed steps."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from llmaas_server.errors import Problem

from . import attention
from .batch import build
from .cache import Cache, KeyValues
from .checkpoint import bytes_of
from .device import torch_name
from .request import Generation
from .sequence import Chunk, GenerateSequence

_ATTENTIONS = {"full_attention", "sliding_attention"}
BLOCK_TOKENS = 16
_STRETCHED = {"dynamic", "longrope"}
"""Rotary embeddings whose frequencies depend on the longest sequence of a batch."""


class TorchDecoder:
    """Implements `decoding.Decoder` with a causal language model of transformers, whose attention
    reads and writes our cache.

    Making one switches the module's attention to `attention.attend`, and proves on a few tokens
    that the module then computes what it computed before. Raises Problem
    `model_cannot_do_task` for a family that keeps state elsewhere, or attends in its own way.
    """

    block_tokens = BLOCK_TOKENS

    def __init__(self, module: Any, device: torch.device) -> None:
        self.device = device
        self.family: str = module.config.model_type
        self.bytes_per_token = 0
        self.weight_bytes = bytes_of(module)
        self._module = module
        self._cache: KeyValues = self._make_cache(0)
        self._refuse_unless_known(module.config)
        self._adopt()

    @property
    def longest(self) -> int | None:
        """Most tokens of a sequence for which rotary embeddings stay as they are; None: any."""
        config = self._module.config
        rope = getattr(config, "rope_parameters", None) or {}
        if rope.get("rope_type") not in _STRETCHED:
            return None
        original = rope.get("original_max_position_embeddings")
        return int(original or config.max_position_embeddings)

    @property
    def name(self) -> str:
        return torch_name(self._module.dtype)

    def reserve(self, blocks: int) -> None:
        self._cache = self._make_cache(blocks)

    def logits(self, chunks: list[Chunk]) -> Tensor:
        return self._forward(self._build(chunks, self._cache))

    def _make_cache(self, blocks: int) -> KeyValues:
        return Cache(blocks, self.block_tokens)

    def _build(self, chunks: list[Chunk], cache: Any) -> Any:
        """A step as `_make_cache` and the attention that was registered want it."""
        return build(chunks, cache, self.device)

    def _register(self) -> str:
        """Make our attention known to transformers; its name there."""
        attention.register()
        return attention.NAME

    @torch.inference_mode()
    def _forward(self, batch: Any) -> Tensor:
        """float32 logits of the rows that the batch wants, [rows, vocabulary]."""
        logits: Tensor = self._module(
            input_ids=batch.ids,
            position_ids=batch.positions,
            use_cache=False,
            logits_to_keep=batch.wanted,
            batch=batch,
        ).logits[0]
        if logits.shape[0] != batch.wanted.shape[0]:  # a family that keeps the logits of all rows
            logits = logits[batch.wanted]
        return logits.float()

    def _refuse_unless_known(self, config: Any) -> None:
        kinds = set(getattr(config, "layer_types", None) or ()) - _ATTENTIONS
        if kinds:
            raise self._refusal(f"it has layers of {', '.join(sorted(kinds))}")

    def _adopt(self) -> None:
        vocabulary = self._module.config.vocab_size
        prompt = tuple(7 * i % vocabulary for i in range(1, 9))
        expected = self._plain(prompt)
        try:
            self._module.set_attn_implementation(self._register())
            got = self._in_two_chunks(prompt)
        except Problem:
            raise
        except Exception as error:
            raise self._refusal(f"{type(error).__name__}: {error}") from error
        # Far above the rounding of bfloat16, far below what lost context does.
        if not torch.allclose(got, expected, rtol=0.0, atol=0.1 * float(expected.std())):
            raise self._refusal("over the cache it computes something else than by itself")

    @torch.inference_mode()
    def _plain(self, prompt: tuple[int, ...]) -> Tensor:
        ids = torch.tensor([prompt], device=self.device)
        logits: Tensor = self._module(input_ids=ids, use_cache=False).logits[0, -1]
        return logits.float()

    def _in_two_chunks(self, prompt: tuple[int, ...]) -> Tensor:
        cache = self._make_cache(1)
        sequence = GenerateSequence(0, Generation(prompt, max_tokens=1), seed=0, submitted=0.0)
        sequence.blocks = [0]
        half = len(prompt) // 2
        self._forward(self._build([Chunk(sequence, 0, half)], cache))
        if not cache.layers:
            raise self._refusal("its attention is not of transformers' attention interface")
        logits = self._forward(self._build([Chunk(sequence, half, len(prompt))], cache))
        self.bytes_per_token = cache.bytes_per_token
        return logits[0]

    def _refusal(self, reason: str) -> Problem:
        return Problem(
            "model_cannot_do_task",
            f"the generate lane cannot run models of the family {self.family!r}: {reason}",
            hint="Choose another chat model: `llmaas models recommend`.",
        )
