"""config.json and generation_config.json from the fields of a GGUF file."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .header import GGUF, BrokenFile, Tensor


class Unsupported(Exception):
    """The file is whole, but of a kind that is not converted; the text says of which."""


@dataclass(frozen=True, slots=True)
class Family:
    """What differs between the architectures that are converted."""

    model_type: str
    architecture: str
    rotates_neighbours: bool = False
    """llama.cpp stores q and k in its own order of rows (see tensors.rope_rows)."""
    own_head_dim: bool = False
    """The size of a head is in the configuration, rather than hidden / heads."""
    has_biases: bool = False
    """On q, k and v."""
    norms_heads: bool = False
    """q and k are normalized, head by head."""


FAMILIES = {
    "llama": Family("llama", "LlamaForCausalLM", rotates_neighbours=True, own_head_dim=True),
    "qwen2": Family("qwen2", "Qwen2ForCausalLM", has_biases=True),
    "qwen3": Family("qwen3", "Qwen3ForCausalLM", own_head_dim=True, norms_heads=True),
}


@dataclass(frozen=True, slots=True)
class Fields:
    """The fields of a file, read by name and type."""

    values: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        return self.text("general.architecture")

    def text(self, key: str) -> str:
        return str(self._get(key, str))

    def of_model(self, key: str) -> int:
        return int(self._get(f"{self.architecture}.{key}", int))

    def of_model_or(self, key: str, default: int) -> int:
        return self.of_model(key) if f"{self.architecture}.{key}" in self.values else default

    def real(self, key: str) -> float:
        """A float32, as the shortest decimal number that means it: 1e-05, not 9.99999974e-06."""
        value = float(str(np.float32(self._get(f"{self.architecture}.{key}", float))))
        if not math.isfinite(value):
            raise BrokenFile(f"has {value} for {key}")
        return value

    def id(self, key: str) -> int | None:
        """A token's id; None where the file names none."""
        value = self.values.get(f"tokenizer.ggml.{key}_token_id")
        return value if isinstance(value, int) else None

    def _get(self, key: str, kind: type) -> Any:
        if not isinstance(value := self.values.get(key), kind):
            raise BrokenFile(f"has no field {key} of type {kind.__name__}")
        return value


def family_of(gguf: GGUF) -> Family:
    """Raises Unsupported for another architecture, or a kind of it that would come out wrong."""
    name = Fields(gguf.fields).architecture
    if (family := FAMILIES.get(name)) is None:
        raise Unsupported(f"is of the architecture {name}; {', '.join(FAMILIES)} are converted")
    scaling = gguf.fields.get(f"{name}.rope.scaling.type", "none")
    factors = any(tensor.name.startswith("rope_factors") for tensor in gguf.tensors)
    if scaling != "none" or factors or any(t.name == "rope_freqs.weight" for t in gguf.tensors):
        raise Unsupported("scales its positions (RoPE) in a way that GGUF does not fully describe")
    if f"{name}.expert_count" in gguf.fields:
        raise Unsupported("is a mixture of experts")
    return family


def model_config(gguf: GGUF, family: Family) -> dict[str, Any]:
    """config.json."""
    fields = Fields(gguf.fields)
    tensors = {tensor.name: tensor for tensor in gguf.tensors}
    hidden, layers = fields.of_model("embedding_length"), fields.of_model("block_count")
    heads = fields.of_model("attention.head_count")
    kv_heads = fields.of_model_or("attention.head_count_kv", heads)
    if min(heads, kv_heads) < 1 or hidden % heads or heads % kv_heads:
        raise BrokenFile(f"has {heads} heads over {kv_heads} for a width of {hidden}")
    if layers > len(tensors):
        raise BrokenFile(f"says that it has {layers} layers, and has {len(tensors)} tensors")
    head_dim = fields.of_model_or("attention.key_length", hidden // heads)
    config: dict[str, Any] = {
        "architectures": [family.architecture],
        "model_type": family.model_type,
        "hidden_size": hidden,
        "intermediate_size": fields.of_model("feed_forward_length"),
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv_heads,
        "max_position_embeddings": fields.of_model("context_length"),
        "vocab_size": _embedding(tensors).shape[0],
        "rms_norm_eps": fields.real("attention.layer_norm_rms_epsilon"),
        "hidden_act": "silu",
        "rope_parameters": {"rope_type": "default", "rope_theta": _theta(fields)},
        "tie_word_embeddings": "output.weight" not in tensors,
        "bos_token_id": fields.id("bos"),
        "eos_token_id": fields.id("eos"),
        "pad_token_id": fields.id("padding"),
        "dtype": "float32",
    }
    if family.own_head_dim:
        config["head_dim"] = head_dim
    elif head_dim != hidden // heads:
        raise Unsupported(f"has heads of {head_dim}, and {hidden // heads} were expected")
    return config


def generation_config(gguf: GGUF, overrides: Mapping[str, Any]) -> dict[str, Any]:
    """generation_config.json: what ends an answer, and how to sample where it is known."""
    fields = Fields(gguf.fields)
    ends = [fields.id(key) for key in ("eos", "eot", "eom")]
    return {
        "bos_token_id": fields.id("bos"),
        "eos_token_id": list(dict.fromkeys(end for end in ends if end is not None)),
        "pad_token_id": fields.id("padding"),
        **overrides,
    }


def _theta(fields: Fields) -> float:
    key = "rope.freq_base"
    known = f"{fields.architecture}.{key}" in fields.values
    return fields.real(key) if known else 10000.0  # llama.cpp's default


def _embedding(tensors: Mapping[str, Tensor]) -> Tensor:
    if (found := tensors.get("token_embd.weight")) is None or len(found.shape) != 2:
        raise BrokenFile("has no token embeddings")
    return found
