"""Decoders of the Llama family on the kernels: one call computes a whole step."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from llmaas_server.runtime.checkpoint import weight_files
from llmaas_server.runtime.kernels import library
from llmaas_server.runtime.kernels.library import BLOCK_TOKENS, Library
from llmaas_server.runtime.kernels.packing import CHUNK, Packed, can_pack
from llmaas_server.runtime.sequence import PREFIX, Chunk

from .weights import Quantization, Weights, embed

FAMILIES = {"llama", "mistral", "qwen2", "qwen3"}
_STRETCHED = {"dynamic", "longrope"}
"""Rotary embeddings whose frequencies depend on the longest sequence of a batch."""


def can_run(config: Any) -> bool:
    """Whether the kernels compute what this model computes."""
    rope = getattr(config, "rope_parameters", None) or {}
    head_dim = _head_dim(config)
    kv_heads = config.num_key_value_heads or config.num_attention_heads
    width, kv = config.num_attention_heads * head_dim, kv_heads * head_dim
    shapes = (
        (width, config.hidden_size),
        (kv, config.hidden_size),
        (config.hidden_size, width),
        (config.intermediate_size, config.hidden_size),
        (config.hidden_size, config.intermediate_size),
        (config.vocab_size, config.hidden_size),
    )
    return (
        config.model_type in FAMILIES
        and config.hidden_act == "silu"
        and rope.get("rope_type", "default") not in _STRETCHED
        and not set(getattr(config, "layer_types", None) or ()) - {"full_attention"}
        and _window(config) is None
        and config.num_attention_heads % kv_heads == 0
        and head_dim % CHUNK == 0
        and all(can_pack(n, k, CHUNK) for n, k in shapes)
    )


def _head_dim(config: Any) -> int:
    stated = getattr(config, "head_dim", None)
    return int(stated or config.hidden_size // config.num_attention_heads)


def _window(config: Any) -> int | None:
    """Tokens that attention looks back; None: all of them."""
    window: int | None = getattr(config, "sliding_window", None)
    if not window or not getattr(config, "use_sliding_window", True):
        return None
    return window if window < config.max_position_embeddings else None


@dataclass(frozen=True, slots=True)
class _Layer:
    attention_norm: Tensor
    query: Packed
    key: Packed
    value: Packed
    query_norm: Tensor | None
    key_norm: Tensor | None
    output: Packed
    mlp_norm: Tensor
    gate: Packed
    up: Packed
    down: Packed

    def packed(self) -> tuple[Packed, ...]:
        return self.query, self.key, self.value, self.output, self.gate, self.up, self.down

    def pointers(self, keys: Tensor, values: Tensor) -> library.DecoderLayer:
        return library.DecoderLayer(
            self.attention_norm.data_ptr(),
            self.query.pointers(),
            self.key.pointers(),
            self.value.pointers(),
            None if self.query_norm is None else self.query_norm.data_ptr(),
            None if self.key_norm is None else self.key_norm.data_ptr(),
            self.output.pointers(),
            self.mlp_norm.data_ptr(),
            self.gate.pointers(),
            self.up.pointers(),
            self.down.pointers(),
            keys.data_ptr(),
            values.data_ptr(),
        )


class NativeDecoder:
    """Implements `decoding.Decoder` on the kernels; `can_run` has said yes to the config.

    Weights are 4 or 8 bits as the file has them, activations 8 bits in groups of 32, keys and
    values bfloat16. A row's result does not depend on the other rows of its step.
    """

    block_tokens = BLOCK_TOKENS
    longest: int | None = None

    def __init__(
        self,
        folder: Path,
        config: Any,
        kernels: Library,
        quantization: Quantization,
        progress: Callable[[float], None],
    ) -> None:
        self._kernels = kernels
        self._config = config
        self._vocabulary: int = config.vocab_size
        self._kv_heads: int = config.num_key_value_heads or config.num_attention_heads
        self._head_dim = _head_dim(config)
        with Weights(weight_files(folder), progress) as weights:
            self._read(weights, quantization)
        self._cosine, self._sine = _rotations(config, self._head_dim)
        self._cache: Tensor | None = None
        self._model: library.Decoder | None = None

    @property
    def name(self) -> str:
        """What computes, for people: `native avx512-vnni int4`."""
        bits = {packed.bits for packed in self._layers[0].packed()}
        return f"native {self._kernels.instructions} int{min(bits)}"

    @property
    def bytes_per_token(self) -> int:
        width = self._kv_heads * self._head_dim
        return len(self._layers) * 2 * width * torch.bfloat16.itemsize

    @property
    def weight_bytes(self) -> int:
        packed = sum(part.nbytes for layer in self._layers for part in layer.packed())
        table = self._table.nbytes + (0 if self._table_scale is None else self._table_scale.nbytes)
        return packed + self._head.nbytes + table

    def reserve(self, blocks: int) -> None:
        shape = (len(self._layers), 2, blocks, self._kv_heads, BLOCK_TOKENS * self._head_dim)
        # Zeros: attention multiplies tokens that nobody wrote by zero, and NaN would survive that.
        # numpy's come from the system page by page, when they are written; torch writes its own.
        self._cache = torch.from_numpy(np.zeros(shape, dtype=np.uint16)).view(torch.bfloat16)
        self._model = self._pointers(self._cache)

    @torch.inference_mode()
    def logits(self, chunks: list[Chunk]) -> Tensor:
        if self._model is None:
            raise RuntimeError("reserve comes before logits")
        ids = torch.tensor([id for chunk in chunks for id in chunk.ids])
        positions = torch.tensor([position for chunk in chunks for position in chunk.positions])
        embeddings = embed(self._table, self._table_scale, ids)
        cosine, sine = self._cosine[positions], self._sine[positions]
        sequence = _ints(n for n, chunk in enumerate(chunks) for _ in range(chunk.size))
        index = _ints(at for chunk in chunks for at in range(chunk.start, chunk.stop))
        gaps = _ints(edge for chunk in chunks for edge in _gaps(chunk))
        tables, width = _tables(chunks)
        wanted = _ints(_wanted(chunks))
        logits = torch.empty(len(wanted), self._vocabulary)
        batch = library.DecoderBatch(
            embeddings.data_ptr(),
            cosine.data_ptr(),
            sine.data_ptr(),
            sequence.data_ptr(),
            index.data_ptr(),
            gaps.data_ptr(),
            tables.data_ptr(),
            wanted.data_ptr(),
            logits.data_ptr(),
            len(ids),
            width,
            len(wanted),
        )
        self._kernels.decoder_step(self._model, batch)
        return logits

    def _read(self, weights: Weights, quantization: Quantization) -> None:
        self._table, self._table_scale = weights.rows("model.embed_tokens.weight")
        head = "lm_head" if "lm_head.weight" in weights else "model.embed_tokens"
        # The last layer decides between words: never fewer bits than the file, or eight.
        self._head = weights.linear(head, "auto")
        self._final_norm = weights.vector("model.norm.weight")
        self._layers = [
            _Layer(
                attention_norm=weights.vector(f"{at}.input_layernorm.weight"),
                query=weights.linear(f"{at}.self_attn.q_proj", quantization),
                key=weights.linear(f"{at}.self_attn.k_proj", quantization),
                value=weights.linear(f"{at}.self_attn.v_proj", quantization),
                query_norm=weights.optional(f"{at}.self_attn.q_norm.weight"),
                key_norm=weights.optional(f"{at}.self_attn.k_norm.weight"),
                output=weights.linear(f"{at}.self_attn.o_proj", quantization),
                mlp_norm=weights.vector(f"{at}.post_attention_layernorm.weight"),
                gate=weights.linear(f"{at}.mlp.gate_proj", quantization),
                up=weights.linear(f"{at}.mlp.up_proj", quantization),
                down=weights.linear(f"{at}.mlp.down_proj", quantization),
            )
            for at in (f"model.layers.{n}" for n in range(self._config.num_hidden_layers))
        ]

    def _pointers(self, cache: Tensor) -> library.Decoder:
        layers = (library.DecoderLayer * len(self._layers))(
            *(layer.pointers(*kv) for layer, kv in zip(self._layers, cache, strict=True))
        )
        config = self._config
        return library.Decoder(
            ctypes.cast(layers, ctypes.POINTER(library.DecoderLayer)),
            self._final_norm.data_ptr(),
            self._head.pointers(),
            len(self._layers),
            config.hidden_size,
            config.num_attention_heads,
            self._kv_heads,
            self._head_dim,
            config.intermediate_size,
            config.rms_norm_eps,
            self._head_dim**-0.5,
        )


def _rotations(config: Any, head_dim: int) -> tuple[Tensor, Tensor]:
    """Cosine and sine of every position, float32 [positions, head_dim / 2]."""
    rotary = LlamaRotaryEmbedding(config)
    positions = torch.arange(config.max_position_embeddings)
    cosine, sine = rotary(torch.zeros(1), positions[None])  # halves are equal: [.., head_dim]
    half = head_dim // 2
    return cosine[0, :, :half].contiguous(), sine[0, :, :half].contiguous()


def _wanted(chunks: list[Chunk]) -> Iterator[int]:
    """Rows of the step whose logits are needed."""
    first = 0
    for chunk in chunks:
        yield from (first + at - chunk.start for at in chunk.wanted)
        first += chunk.size


def _tables(chunks: list[Chunk]) -> tuple[Tensor, int]:
    """Blocks of each sequence, [chunks, width], in the order of its tokens."""
    width = max(-(-chunk.stop // BLOCK_TOKENS) for chunk in chunks)
    rows = (chunk.sequence.blocks[:width] for chunk in chunks)
    return torch.tensor([row + [0] * (width - len(row)) for row in rows], dtype=torch.int32), width


def _gaps(chunk: Chunk) -> Iterator[int]:
    """For each row where what it does not see begins and ends: other branches before its own."""
    branches = chunk.sequence.branches(chunk.stop)
    if branches is None:
        yield from repeat(0, 2 * chunk.size)
        return
    prefix = next((at for at, branch in enumerate(branches) if branch != PREFIX), len(branches))
    begins: dict[int, int] = {}
    for at, branch in enumerate(branches):
        begins.setdefault(branch, at)
    for branch in branches[chunk.start :]:
        yield from (0, 0) if branch == PREFIX else (prefix, begins[branch])


def _ints(values: Iterable[int]) -> Tensor:
    return torch.tensor(list(values), dtype=torch.int32)
