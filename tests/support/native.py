"""Small random models with shapes that the kernels take, as folders of safetensors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from llmaas_server.runtime.request import Generation
from llmaas_server.runtime.sequence import Chunk, GenerateSequence
from support.decoders import decoder

SIZES: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 32,
    "initializer_range": 0.1,
}


def saved(folder: Path, family: str = "Llama", **sizes: Any) -> Any:
    """Save a random decoder of the family into `folder`; gives the module."""
    module = decoder(family, **{**SIZES, **sizes})
    module.save_pretrained(folder)
    return module


def chunk_of(ids: tuple[int, ...], first: int, start: int, stop: int, all_rows: bool) -> Chunk:
    """Tokens start … stop of a sequence whose blocks of 16 begin with block `first`."""
    sequence = Everything(0, Generation(ids, max_tokens=1), seed=0, submitted=0.0)
    sequence.all_rows = all_rows
    sequence.blocks = list(range(first, first - (-len(ids) // 16)))
    return Chunk(sequence, start, stop)


class Everything(GenerateSequence):
    """A sequence that can want the logits of all its tokens."""

    all_rows = True

    def wanted(self, start: int, stop: int) -> range:
        return range(start, stop) if self.all_rows else super().wanted(start, stop)
