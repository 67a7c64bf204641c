"""The benchmark of GPUs runs as far as a CPU can tell, and says where it cannot."""

from __future__ import annotations

import pytest
import torch
from benchmarks.options import parse

from benchmarks import gpu

TINY = {
    "vocab_size": 1000,
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}


def test_without_a_gpu_nothing_is_measured_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert gpu.measure(parse("gpu", None, ["--quick"])) == []
    assert "there is no GPU here" in capsys.readouterr().err


def test_ours_answers_every_stream() -> None:
    device = torch.device("cpu")
    module = gpu.random_llama(TINY, device)
    lane = gpu.lane_of(module, device, 3, gpu.PROMPT + 4)
    found = gpu.generate(lane, 3, 4, limit=1e12)
    assert found["tokens/s"] > 0
    assert 0 < found["share of the memory's bandwidth"] < 1
    assert not lane.busy


def test_the_other_contestant_has_the_same_weights() -> None:
    module = gpu.random_llama(TINY, torch.device("cpu"))
    other = gpu.shared_copy(module)
    mine, theirs = (
        [parameter.data_ptr() for parameter in one.parameters()] for one in (module, other)
    )
    assert mine == theirs
    assert other.config._attn_implementation == "sdpa"
