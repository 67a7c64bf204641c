"""Encoders of the BERT family on the kernels: packed rows, no padding."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from llmaas_server.runtime.checkpoint import weight_files
from llmaas_server.runtime.kernels import library
from llmaas_server.runtime.kernels.library import Library
from llmaas_server.runtime.kernels.packing import CHUNK, LANES, Packed, can_pack

from .head import Head
from .weights import Weights

_WIDEST = 384
"""Most inputs that share a scale: a vector of a text then keeps a cosine of 0.997 on average."""


def can_run(config: Any) -> bool:
    """Whether the kernels compute what this model computes."""
    if config.model_type != "bert":
        return False
    hidden, wide = config.hidden_size, config.intermediate_size
    return (
        config.hidden_act == "gelu"
        and getattr(config, "position_embedding_type", "absolute") == "absolute"
        and not config.is_decoder
        and hidden % config.num_attention_heads == 0
        and hidden // config.num_attention_heads % LANES == 0
        and can_pack(hidden, hidden, CHUNK)
        and can_pack(wide, hidden, CHUNK)
        and can_pack(hidden, wide, CHUNK)
    )


def _group(inputs: int) -> int:
    """Inputs of a layer that share a scale."""
    return next(size for size in range(_WIDEST, 0, -CHUNK) if inputs % size == 0)


@dataclass(frozen=True, slots=True)
class _Norm:
    weight: Tensor
    bias: Tensor


@dataclass(frozen=True, slots=True)
class _Layer:
    query: Packed
    key: Packed
    value: Packed
    output: Packed
    attention_norm: _Norm
    up: Packed
    down: Packed
    mlp_norm: _Norm

    def packed(self) -> tuple[Packed, ...]:
        return self.query, self.key, self.value, self.output, self.up, self.down

    def pointers(self) -> library.EncoderLayer:
        return library.EncoderLayer(
            self.query.pointers(),
            self.key.pointers(),
            self.value.pointers(),
            self.output.pointers(),
            self.attention_norm.weight.data_ptr(),
            self.attention_norm.bias.data_ptr(),
            self.up.pointers(),
            self.down.pointers(),
            self.mlp_norm.weight.data_ptr(),
            self.mlp_norm.bias.data_ptr(),
        )


class NativeEncoder:
    """The last hidden states of texts, and with `head` the logits of a classifier.

    `can_run` has said yes to the config.

    Weights and activations are 8 bits in groups of up to 384, attention bfloat16 and float32, a
    head float32. What a text gives does not depend on the texts beside it.
    """

    def __init__(
        self,
        folder: Path,
        config: Any,
        kernels: Library,
        progress: Callable[[float], None],
        *,
        head: bool = False,
    ) -> None:
        """Raises Problem `model_broken`, and `model_has_no_head` where `head` asks for one."""
        self._kernels = kernels
        self._config = config
        with Weights(weight_files(folder), progress) as weights:
            self._read(weights, head)
        layers = (library.EncoderLayer * len(self._layers))(
            *(layer.pointers() for layer in self._layers)
        )
        self._model = library.Encoder(
            ctypes.cast(layers, ctypes.POINTER(library.EncoderLayer)),
            len(self._layers),
            config.hidden_size,
            config.num_attention_heads,
            config.intermediate_size,
            config.layer_norm_eps,
        )

    @property
    def name(self) -> str:
        """What computes, for people: `native avx512-vnni int8`."""
        return f"native {self._kernels.instructions} int8"

    @property
    def weight_bytes(self) -> int:
        tables = (self._words, self._positions, self._types)
        packed = sum(part.nbytes for layer in self._layers for part in layer.packed())
        head = 0 if self._head is None else self._head.nbytes
        return packed + head + sum(table.nbytes for table in tables)

    @torch.inference_mode()
    def hidden(self, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int] | None]) -> Tensor:
        """float32 [texts, longest, hidden], zero behind the end of a text."""
        texts = self._states(ids, types)
        return torch.nn.utils.rnn.pad_sequence(texts, batch_first=True)

    @torch.inference_mode()
    def logits(self, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int] | None]) -> Tensor:
        """float32 [texts, labels]; of an encoder that was read with its head."""
        if self._head is None:
            raise RuntimeError("this encoder was read without a head")
        return self._head.logits(torch.stack([text[0] for text in self._states(ids, types)]))

    def _states(
        self, ids: Sequence[Sequence[int]], types: Sequence[Sequence[int] | None]
    ) -> list[Tensor]:
        """float32 [tokens, hidden] of each text."""
        lengths = [len(row) for row in ids]
        rows = sum(lengths)
        flat = _ints(chain.from_iterable(ids), rows)
        sequence = np.repeat(np.arange(len(lengths), dtype=np.int32), lengths)
        begins = np.cumsum([0, *lengths[:-1]])
        positions = torch.from_numpy(np.arange(rows) - np.repeat(begins, lengths))
        states = self._words[flat].float() + self._positions[positions]
        if any(types):
            given = zip(types, lengths, strict=True)
            kinds = chain.from_iterable(row or repeat(0, size) for row, size in given)
            states += self._types[_ints(kinds, rows)]
        else:
            states += self._types[0]
        norm, width = self._embedding_norm, states.shape[1]
        states = F.layer_norm(
            states, (width,), norm.weight, norm.bias, self._config.layer_norm_eps
        ).contiguous()
        batch = library.EncoderBatch(states.data_ptr(), sequence.ctypes.data, rows)
        self._kernels.encoder_step(self._model, batch)
        return list(torch.split(states, lengths))

    def _read(self, weights: Weights, head: bool) -> None:
        top = "" if "embeddings.word_embeddings.weight" in weights else "bert."
        self._head = Head.read(weights, top, self._config) if head else None
        # A table is gathered from, never multiplied: half the bytes cost nothing that is seen.
        self._words = weights.vector(f"{top}embeddings.word_embeddings.weight").bfloat16()
        self._positions = weights.vector(f"{top}embeddings.position_embeddings.weight")
        self._types = weights.vector(f"{top}embeddings.token_type_embeddings.weight")
        self._embedding_norm = _norm(weights, f"{top}embeddings.LayerNorm")
        narrow = _group(self._config.hidden_size)
        broad = _group(self._config.intermediate_size)
        self._layers = [
            _Layer(
                query=weights.linear(f"{at}.attention.self.query", "int8", narrow),
                key=weights.linear(f"{at}.attention.self.key", "int8", narrow),
                value=weights.linear(f"{at}.attention.self.value", "int8", narrow),
                output=weights.linear(f"{at}.attention.output.dense", "int8", narrow),
                attention_norm=_norm(weights, f"{at}.attention.output.LayerNorm"),
                up=weights.linear(f"{at}.intermediate.dense", "int8", narrow),
                down=weights.linear(f"{at}.output.dense", "int8", broad),
                mlp_norm=_norm(weights, f"{at}.output.LayerNorm"),
            )
            for at in (f"{top}encoder.layer.{n}" for n in range(self._config.num_hidden_layers))
        ]


def _ints(values: Iterable[int], count: int) -> Tensor:
    return torch.from_numpy(np.fromiter(values, dtype=np.int64, count=count))


def _norm(weights: Weights, name: str) -> _Norm:
    # The first BERT files call them gamma and beta.
    scale, shift = ("gamma", "beta") if f"{name}.gamma" in weights else ("weight", "bias")
    return _Norm(weights.vector(f"{name}.{scale}"), weights.vector(f"{name}.{shift}"))
