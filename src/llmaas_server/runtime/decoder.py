"""A decoder model of transformers, run over packed steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from llmaas_server.errors import Problem

from . import attention
from .batch import build
from .cache import Cache, KeyValues
from .checkpoint import bytes_of
from .compiled import Attend, CompiledStep
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
        self._compiled: CompiledStep | None = None
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
        return torch_name(self._module.dtype) + (" compiled" if self._compiled else "")

    def reserve(self, blocks: int) -> None:
        self._cache = self._make_cache(blocks)

    def logits(self, chunks: list[Chunk]) -> Tensor:
        return self._forward(self._build(chunks, self._cache))

    def compile(self, backend: str = "inductor") -> None:
        """Compile the step, and switch over when it computes what the eager one does.

        For a thread beside that of the engine, which goes on meanwhile. Takes a minute or more;
        raises whatever torch's compiler and its `backend` do, and RuntimeError.
        """
        step = CompiledStep(self._module, self._attend, backend)
        prompt = self._probe()
        # Rows by the dozen and rows alone are two pieces of code: both are made here.
        expected, got = (self._in_two_chunks(prompt, run) for run in (self._eager, step))
        if not _alike(got, expected):
            raise RuntimeError("the compiled step computes something else")
        self._compiled = step

    def _make_cache(self, blocks: int) -> KeyValues:
        return Cache(blocks, self.block_tokens)

    def _build(self, chunks: list[Chunk], cache: Any) -> Any:
        """A step as `_make_cache` and the attention that was registered want it."""
        return build(chunks, cache, self.device)

    def _register(self) -> str:
        """Make our attention known to transformers; its name there."""
        attention.register()
        return attention.NAME

    @property
    def _attend(self) -> Attend:
        return attention.attend

    def _forward(self, batch: Any) -> Tensor:
        """float32 logits of the rows that the batch wants, [rows, vocabulary]."""
        run = self._compiled or self._eager
        return run(batch).float()

    @torch.inference_mode()
    def _eager(self, batch: Any) -> Tensor:
        logits: Tensor = self._module(
            input_ids=batch.ids,
            position_ids=batch.positions,
            use_cache=False,
            logits_to_keep=batch.wanted,
            batch=batch,
        ).logits[0]
        if logits.shape[0] != batch.wanted.shape[0]:  # a family that keeps the logits of all rows
            logits = logits[batch.wanted]
        return logits

    def _refuse_unless_known(self, config: Any) -> None:
        kinds = set(getattr(config, "layer_types", None) or ()) - _ATTENTIONS
        if kinds:
            raise self._refusal(f"it has layers of {', '.join(sorted(kinds))}")

    def _adopt(self) -> None:
        prompt = self._probe()
        expected = self._plain(prompt)
        try:
            self._module.set_attn_implementation(self._register())
            got = self._in_two_chunks(prompt, self._eager)
        except Problem:
            raise
        except Exception as error:
            raise self._refusal(f"{type(error).__name__}: {error}") from error
        if not _alike(got, expected):
            raise self._refusal("over the cache it computes something else than by itself")

    def _probe(self) -> tuple[int, ...]:
        return tuple(7 * i % self._module.config.vocab_size for i in range(1, 9))

    @torch.inference_mode()
    def _plain(self, prompt: tuple[int, ...]) -> Tensor:
        ids = torch.tensor([prompt], device=self.device)
        logits: Tensor = self._module(input_ids=ids, use_cache=False).logits[0, -1]
        return logits.float()

    def _in_two_chunks(self, prompt: tuple[int, ...], run: Callable[[Any], Tensor]) -> Tensor:
        """Logits of the last token, read after the others."""
        cache = self._make_cache(1)
        sequence = GenerateSequence(0, Generation(prompt, max_tokens=1), seed=0, submitted=0.0)
        sequence.blocks = [0]
        most = len(prompt) - 1
        run(self._build([Chunk(sequence, 0, most)], cache))
        if not cache.layers:
            raise self._refusal("its attention is not of transformers' attention interface")
        logits = run(self._build([Chunk(sequence, most, len(prompt))], cache))
        self.bytes_per_token = cache.bytes_per_token
        return logits[0].float()

    def _refusal(self, reason: str) -> Problem:
        return Problem(
            "model_cannot_do_task",
            f"the generate lane cannot run models of the family {self.family!r}: {reason}",
            hint="Choose another chat model: `llmaas models recommend`.",
        )


def _alike(got: Tensor, expected: Tensor) -> bool:
    """Within far more than the rounding of bfloat16, and far less than what lost context does."""
    return torch.allclose(got, expected, rtol=0.0, atol=0.1 * float(expected.std()))
