"""Families of transformers over the cache: as they are by themselves, or refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.decoder import TorchDecoder
from support.decoders import decoder, drain, greedy, ids_of, lane_of, reference

WINDOW = {"sliding_window": 7}
HEADS = {"head_dim": 8}

FAMILIES: list[tuple[str, dict[str, Any]]] = [
    ("Llama", {}),
    ("Qwen2", {}),
    ("Qwen3", HEADS),
    ("Mistral", WINDOW),
    ("Gemma2", {**WINDOW, **HEADS, "query_pre_attn_scalar": 8, "attn_logit_softcapping": 2.0}),
    ("Gemma3", {**WINDOW, **HEADS, "config": "Gemma3TextConfig"}),
    ("Phi3", {}),
    ("OPT", {"word_embed_proj_dim": 32, "ffn_dim": 64}),
    ("Mixtral", {"num_local_experts": 4}),
]


@pytest.mark.parametrize(("family", "sizes"), FAMILIES, ids=[name for name, _ in FAMILIES])
def test_a_family_generates_what_transformers_does(family: str, sizes: dict[str, Any]) -> None:
    module = decoder(family, **sizes)
    works = [greedy(length, max_tokens=10) for length in (1, 5, 33, 19)]
    expected = [reference(copy.deepcopy(module), work.prompt, 10)[0] for work in works]
    # Steps of 16 tokens: prompts come in chunks beside those that already generate.
    found = drain(lane_of(module, max_step_tokens=16), works)
    assert [ids_of(items) for items in found] == expected


@pytest.mark.parametrize(
    ("family", "sizes", "reason"),
    [
        ("Bloom", {}, "attention interface"),
        ("Mamba", {}, "linear_attention"),
        ("GptOss", {**HEADS, **WINDOW, "num_local_experts": 4}, "s_aux"),
    ],
)
def test_a_family_that_cannot_run_is_refused(
    family: str, sizes: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Problem, match=reason) as caught:
        TorchDecoder(decoder(family, **sizes), torch.device("cpu"))
    assert caught.value.code == "model_cannot_do_task"


def test_a_model_that_computes_something_else_over_the_cache_is_refused() -> None:
    module = decoder()
    inner = module.model.forward

    def forgetful(**arguments: Any) -> Any:
        """Counts positions anew in every step."""
        return inner(**{**arguments, "position_ids": None})

    module.model.forward = forgetful
    with pytest.raises(Problem, match="something else"):
        TorchDecoder(module, torch.device("cpu"))


def test_keys_and_values_are_counted_in_bytes() -> None:
    # 3 layers, keys and values, 2 heads of 8 numbers of 4 bytes
    assert TorchDecoder(decoder(), torch.device("cpu")).bytes_per_token == 3 * 2 * 2 * 8 * 4
    half = decoder().to(torch.bfloat16)
    assert TorchDecoder(half, torch.device("cpu")).bytes_per_token == 3 * 2 * 2 * 8 * 2


def test_positions_beyond_those_of_stretched_embeddings_are_refused() -> None:
    rope = {"rope_type": "dynamic", "rope_theta": 10_000.0, "factor": 2.0}
    module = decoder(rope_parameters=rope, max_position_embeddings=32)
    lane = lane_of(module)
    [items] = drain(lane, [greedy(20, max_tokens=12)])
    assert len(ids_of(items)) == 12
    with pytest.raises(Problem) as caught:
        drain(lane, [greedy(30, max_tokens=12)])
    assert caught.value.code == "context_overflow"
