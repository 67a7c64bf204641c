"""Encoders on the kernels: near what transformers computes, and the same in any company."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
import transformers

from llmaas_server.runtime.lanes.encode import EncodeLane
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.native.encoder import NativeEncoder, can_run
from llmaas_server.runtime.request import Encoding
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support.decoders import drain
from support.kernels import library

LENGTHS = (1, 7, 33, 100, 16, 17, 2)


@pytest.fixture(scope="module")
def module() -> transformers.BertModel:
    config = transformers.BertConfig(
        vocab_size=500,
        hidden_size=128,
        num_hidden_layers=3,
        num_attention_heads=4,
        intermediate_size=256,
        max_position_embeddings=128,
        initializer_range=0.1,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return transformers.BertModel(config).eval()


@pytest.fixture(scope="module")
def encoder(
    module: transformers.BertModel, tmp_path_factory: pytest.TempPathFactory
) -> NativeEncoder:
    folder = tmp_path_factory.mktemp("bert")
    module.save_pretrained(folder)
    assert can_run(module.config)
    return NativeEncoder(Path(folder), module.config, library(), lambda share: None)


def texts() -> list[tuple[int, ...]]:
    return [tuple((13 * i + 7 * n) % 500 for i in range(n)) for n in LENGTHS]


def test_states_are_near_those_of_transformers(
    module: transformers.BertModel, encoder: NativeEncoder
) -> None:
    found = encoder.hidden(texts(), [None] * len(LENGTHS))
    for row, ids in enumerate(texts()):
        with torch.inference_mode():
            expected = module(input_ids=torch.tensor([ids])).last_hidden_state[0]
        likeness = torch.nn.functional.cosine_similarity(expected, found[row, : len(ids)], dim=-1)
        assert likeness.min() > 0.99
        assert not found[row, len(ids) :].any()


def test_token_types_count(module: transformers.BertModel, encoder: NativeEncoder) -> None:
    ids, types = texts()[2], (0,) * 20 + (1,) * 13
    found = encoder.hidden([ids], [types])[0]
    with torch.inference_mode():
        expected = module(
            input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types])
        ).last_hidden_state[0]
    assert torch.nn.functional.cosine_similarity(expected, found, dim=-1).min() > 0.99
    assert not torch.allclose(found, encoder.hidden([ids], [None])[0], atol=1e-2)


def test_a_text_does_not_depend_on_its_company(encoder: NativeEncoder) -> None:
    together = encoder.hidden(texts(), [None] * len(LENGTHS))
    for row, ids in enumerate(texts()):
        assert torch.equal(encoder.hidden([ids], [None])[0], together[row, : len(ids)])


def test_the_embedded_model_keeps_its_vectors(embedding_ref: ModelRef) -> None:
    options = WorkerOptions(device="cpu")
    model = load(embedding_ref, options, lambda share: None)
    sentences = [
        "The cat sat on the mat.",
        "Stocks fell sharply on Monday as investors worried about rates.",
        "How do I reset my password?",
        "人工智能正在改变世界。",
        "a " * 200,
    ]
    work = Encoding(tuple((tuple(model.tokenizer.encode(s)), None) for s in sentences), head=False)
    [[expected]] = drain(EncodeLane(model, options), [work])
    native = NativeEncoder(Path(embedding_ref.path), model.config, library(), lambda share: None)
    [[found]] = drain(EncodeLane(model, options, native), [work])
    assert (expected * found).sum(-1).min() > 0.995
