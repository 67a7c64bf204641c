"""The kernels as Python sees them: structures of pointers, and calls that let other threads run.

A structure does not own what it points to: whoever fills it keeps the tensors.
"""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

BLOCK_TOKENS = 16
"""Tokens in a block of the KV cache (BLOCK in attention.h)."""


class Linear(ctypes.Structure):
    """A linear layer in packed blocks; see linear.h."""

    _fields_ = [
        ("blocks", ctypes.c_void_p),
        ("bias", ctypes.c_void_p),
        ("n", ctypes.c_int32),
        ("k", ctypes.c_int32),
        ("bits", ctypes.c_int32),
        ("group", ctypes.c_int32),
    ]


class DecoderLayer(ctypes.Structure):
    _fields_ = [
        ("attention_norm", ctypes.c_void_p),
        ("query", Linear),
        ("key", Linear),
        ("value", Linear),
        ("query_norm", ctypes.c_void_p),
        ("key_norm", ctypes.c_void_p),
        ("output", Linear),
        ("mlp_norm", ctypes.c_void_p),
        ("gate", Linear),
        ("up", Linear),
        ("down", Linear),
        ("keys", ctypes.c_void_p),
        ("values", ctypes.c_void_p),
    ]


class Decoder(ctypes.Structure):
    _fields_ = [
        ("layers", ctypes.POINTER(DecoderLayer)),
        ("final_norm", ctypes.c_void_p),
        ("head", Linear),
        ("num_layers", ctypes.c_int32),
        ("hidden", ctypes.c_int32),
        ("heads", ctypes.c_int32),
        ("kv_heads", ctypes.c_int32),
        ("head_dim", ctypes.c_int32),
        ("intermediate", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
        ("scaling", ctypes.c_float),
    ]


class DecoderBatch(ctypes.Structure):
    _fields_ = [
        ("embeddings", ctypes.c_void_p),
        ("cosine", ctypes.c_void_p),
        ("sine", ctypes.c_void_p),
        ("sequence", ctypes.c_void_p),
        ("index", ctypes.c_void_p),
        ("gap", ctypes.c_void_p),
        ("tables", ctypes.c_void_p),
        ("logit_rows", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
        ("rows", ctypes.c_int32),
        ("table_width", ctypes.c_int32),
        ("num_logits", ctypes.c_int32),
    ]


class EncoderLayer(ctypes.Structure):
    _fields_ = [
        ("query", Linear),
        ("key", Linear),
        ("value", Linear),
        ("output", Linear),
        ("attention_norm", ctypes.c_void_p),
        ("attention_norm_bias", ctypes.c_void_p),
        ("up", Linear),
        ("down", Linear),
        ("mlp_norm", ctypes.c_void_p),
        ("mlp_norm_bias", ctypes.c_void_p),
    ]


class Encoder(ctypes.Structure):
    _fields_ = [
        ("layers", ctypes.POINTER(EncoderLayer)),
        ("num_layers", ctypes.c_int32),
        ("hidden", ctypes.c_int32),
        ("heads", ctypes.c_int32),
        ("intermediate", ctypes.c_int32),
        ("epsilon", ctypes.c_float),
    ]


class EncoderBatch(ctypes.Structure):
    _fields_ = [
        ("hidden", ctypes.c_void_p),
        ("sequence", ctypes.c_void_p),
        ("rows", ctypes.c_int32),
    ]


class Library:
    """One built library and its team of threads. Steps are called from one thread at a time."""

    def __init__(self, path: Path, threads: int) -> None:
        self._calls = ctypes.CDLL(str(path))
        self._calls.llmaas_instructions.restype = ctypes.c_char_p
        self._calls.llmaas_open.restype = ctypes.c_void_p
        self._calls.llmaas_open.argtypes = [ctypes.c_int]
        self._calls.llmaas_close.argtypes = [ctypes.c_void_p]
        for step in (self._calls.llmaas_decoder_step, self._calls.llmaas_encoder_step):
            step.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_void_p]
            step.restype = None
        self.threads = threads
        self._engine: int | None = self._calls.llmaas_open(threads)

    @property
    def instructions(self) -> str:
        """`avx512-vnni`, `avx2` or `portable`."""
        name: bytes = self._calls.llmaas_instructions()
        return name.decode()

    def decoder_step(self, model: Decoder, batch: DecoderBatch) -> None:
        self._step(self._calls.llmaas_decoder_step, model, batch)

    def encoder_step(self, model: Encoder, batch: EncoderBatch) -> None:
        self._step(self._calls.llmaas_encoder_step, model, batch)

    def close(self) -> None:
        """End the threads; no step may follow."""
        if self._engine is not None:
            self._calls.llmaas_close(self._engine)
            self._engine = None

    def _step(self, call: Any, model: ctypes.Structure, batch: ctypes.Structure) -> None:
        if self._engine is None:
            raise RuntimeError("the kernels were closed")
        call(self._engine, ctypes.addressof(model), ctypes.addressof(batch))
