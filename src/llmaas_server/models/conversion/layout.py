"""Which tensors a model of a family has: GGUF's names, transformers' names, shapes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .config import Family, Unsupported
from .header import GGUF, BrokenFile, Tensor


@dataclass(frozen=True, slots=True)
class Slot:
    """Where a tensor of GGUF goes."""

    name: str
    """transformers' name."""
    shape: tuple[int, ...]
    heads: int | None = None
    """Undo llama.cpp's order of rows, within each of so many heads (see tensors.rope_rows)."""


def slots_of(config: Mapping[str, Any], family: Family) -> dict[str, Slot]:
    """GGUF's name -> slot, for every tensor that the model must have."""
    hidden, vocabulary = config["hidden_size"], config["vocab_size"]
    slots = {
        "token_embd.weight": Slot("model.embed_tokens.weight", (vocabulary, hidden)),
        "output_norm.weight": Slot("model.norm.weight", (hidden,)),
    }
    if not config["tie_word_embeddings"]:
        slots["output.weight"] = Slot("lm_head.weight", (vocabulary, hidden))
    layer = _layer(config, family)
    for index in range(config["num_hidden_layers"]):
        for name, slot in layer.items():
            full = f"model.layers.{index}.{slot.name}"
            slots[f"blk.{index}.{name}"] = Slot(full, slot.shape, slot.heads)
    return slots


def match(gguf: GGUF, slots: Mapping[str, Slot]) -> list[tuple[Tensor, Slot]]:
    """Raises BrokenFile for a tensor that is missing or has another shape, Unsupported for one
    that the family does not have."""
    tensors = {tensor.name: tensor for tensor in gguf.tensors}
    if len(tensors) != len(gguf.tensors):
        raise BrokenFile("has a tensor twice")
    if missing := slots.keys() - tensors.keys():
        raise BrokenFile(f"lacks the tensor {min(missing)}")
    if unknown := tensors.keys() - slots.keys():
        raise Unsupported(f"has a tensor that its architecture has not: {min(unknown)}")
    for name, slot in slots.items():
        if tensors[name].shape != slot.shape:
            raise BrokenFile(
                f"has the shape {list(tensors[name].shape)} for {name}, not {list(slot.shape)}"
            )
    return [(tensors[name], slot) for name, slot in slots.items()]


def _layer(config: Mapping[str, Any], family: Family) -> dict[str, Slot]:
    hidden, inner = config["hidden_size"], config["intermediate_size"]
    heads, kv_heads = config["num_attention_heads"], config["num_key_value_heads"]
    head_dim = config.get("head_dim", hidden // heads)
    q, kv = heads * head_dim, kv_heads * head_dim
    turned_q, turned_kv = (heads, kv_heads) if family.rotates_neighbours else (None, None)
    layer = {
        "attn_norm.weight": Slot("input_layernorm.weight", (hidden,)),
        "attn_q.weight": Slot("self_attn.q_proj.weight", (q, hidden), turned_q),
        "attn_k.weight": Slot("self_attn.k_proj.weight", (kv, hidden), turned_kv),
        "attn_v.weight": Slot("self_attn.v_proj.weight", (kv, hidden)),
        "attn_output.weight": Slot("self_attn.o_proj.weight", (hidden, q)),
        "ffn_norm.weight": Slot("post_attention_layernorm.weight", (hidden,)),
        "ffn_gate.weight": Slot("mlp.gate_proj.weight", (inner, hidden)),
        "ffn_up.weight": Slot("mlp.up_proj.weight", (inner, hidden)),
        "ffn_down.weight": Slot("mlp.down_proj.weight", (hidden, inner)),
    }
    if family.has_biases:
        layer["attn_q.bias"] = Slot("self_attn.q_proj.bias", (q,))
        layer["attn_k.bias"] = Slot("self_attn.k_proj.bias", (kv,))
        layer["attn_v.bias"] = Slot("self_attn.v_proj.bias", (kv,))
    if family.norms_heads:
        layer["attn_q_norm.weight"] = Slot("self_attn.q_norm.weight", (head_dim,))
        layer["attn_k_norm.weight"] = Slot("self_attn.k_norm.weight", (head_dim,))
    return layer
