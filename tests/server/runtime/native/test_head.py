"""Classifiers on the kernels: the logits of transformers, in any company."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from msgspec.structs import replace
from safetensors.torch import load_file, save_file
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.runtime.lanes.encode import EncodeLane
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.native.encoder import NativeEncoder
from llmaas_server.runtime.opening import Opening
from llmaas_server.runtime.request import Encoding
from llmaas_server.runtime.sizes import Sizes
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny
from support.decoders import drain
from support.kernels import FOLDER, library

LABELS = ("entailment", "neutral", "contradiction")
TEXTS = ("I love it.", "x", "The quick brown fox jumps over the lazy dog. " * 4, "Never again!")
PAIRS = tuple((text, "This example is great.") for text in TEXTS)
NATIVE = WorkerOptions(device="cpu", kernels=str(FOLDER))
TORCH = WorkerOptions(device="cpu", dtype="float32")


@pytest.fixture(scope="module")
def ref(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    """A classifier of shapes that the kernels take."""
    folder = tmp_path_factory.mktemp("classifier")
    return tiny.classifier(
        folder,
        labels=LABELS,
        hidden_size=384,
        intermediate_size=768,
        num_attention_heads=6,
        initializer_range=0.05,
    )


@pytest.fixture(scope="module")
def works(ref: ModelRef) -> list[Encoding]:
    """Pairs, and texts by themselves."""
    tokenizer = load(ref, TORCH, ignore).tokenizer
    pairs = [tokenizer.encode_pair(*pair) for pair in PAIRS]
    return [
        Encoding(tuple((tuple(ids), tuple(types)) for ids, types in pairs), head=True),
        Encoding(tuple((tuple(tokenizer.encode(text)), None) for text in TEXTS), head=True),
    ]


def ignore(share: float) -> None:
    pass


def opened(ref: ModelRef, options: WorkerOptions = NATIVE) -> tuple[Any, Any]:
    library()  # Built from here on, or the test is skipped.
    return Opening(options).open(ref, options, ignore)


def copied(ref: ModelRef, folder: Path, change: Callable[[dict[str, Tensor]], object]) -> ModelRef:
    """The model with other weights."""
    for file in Path(ref.path).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    weights = load_file(folder / "model.safetensors")
    change(weights)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    return ModelRef(ref.name, str(folder), ref.kind)


def test_a_classifier_runs_on_the_kernels_and_its_logits_are_those_of_transformers(
    ref: ModelRef, works: list[Encoding]
) -> None:
    model, lane = opened(ref)
    assert model.module is None
    found = drain(lane, works)
    module = transformers.BertForSequenceClassification.from_pretrained(ref.path).eval()
    for work, [logits] in zip(works, found, strict=True):
        assert logits.dtype == np.float32
        for (ids, types), got in zip(work.sequences, logits, strict=True):
            inputs = {"input_ids": torch.tensor([ids])}
            if types is not None:
                inputs["token_type_ids"] = torch.tensor([types])
            with torch.inference_mode():
                want = module(**inputs).logits[0].numpy()
            assert np.ptp(want) > 1
            np.testing.assert_allclose(got, want, atol=0.06)
            assert got.argmax() == want.argmax()


def test_logits_do_not_depend_on_their_company(ref: ModelRef, works: list[Encoding]) -> None:
    _, lane = opened(ref)
    [[together], _] = drain(lane, works)
    for sequence, expected in zip(works[0].sequences, together, strict=True):
        [[alone]] = drain(lane, [Encoding((sequence,), head=True)])
        np.testing.assert_array_equal(alone[0], expected)


def test_what_it_takes_was_estimated(ref: ModelRef) -> None:
    model, _ = opened(ref)
    estimate = Sizes(NATIVE)(ref).weights
    assert model.bytes <= estimate < load(ref, TORCH, ignore).bytes


def test_first_names_of_norms_are_read(
    ref: ModelRef, works: list[Encoding], tmp_path: Path
) -> None:
    def rename(weights: dict[str, Tensor]) -> None:
        for name in [name for name in weights if "LayerNorm" in name]:
            new = name.replace(".weight", ".gamma").replace(".bias", ".beta")
            weights[new] = weights.pop(name)

    [expected, _] = drain(opened(ref)[1], works)
    [found, _] = drain(opened(copied(ref, tmp_path, rename))[1], works)
    np.testing.assert_array_equal(found[0], expected[0])


@pytest.mark.parametrize("missing", ["classifier.weight", "bert.pooler.dense.bias"])
def test_a_file_without_a_head_is_refused(ref: ModelRef, missing: str, tmp_path: Path) -> None:
    headless = copied(ref, tmp_path, lambda weights: weights.pop(missing))
    with pytest.raises(Problem, match=missing) as caught:
        opened(headless)
    assert caught.value.code == "model_has_no_head"


def test_a_head_of_other_labels_is_refused(ref: ModelRef, tmp_path: Path) -> None:
    other = copied(ref, tmp_path, lambda weights: None)
    config = json.loads((tmp_path / "config.json").read_text())
    config["id2label"], config["label2id"] = {"0": "a", "1": "b"}, {"a": 0, "b": 1}
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(Problem, match="2 labels") as caught:
        opened(other)
    assert caught.value.code == "model_broken"


def test_who_asks_for_float32_gets_torch(ref: ModelRef) -> None:
    model, _ = opened(ref, replace(NATIVE, dtype="float32"))
    assert model.module is not None


def test_an_embedder_gives_vectors_whether_or_not_its_file_has_a_head(
    ref: ModelRef, works: list[Encoding]
) -> None:
    embedder = ModelRef(ref.name, ref.path, "encoder")
    sequences = works[1].sequences
    model, lane = opened(embedder)
    assert isinstance(lane, EncodeLane)
    [[vectors]] = drain(lane, [Encoding(sequences, head=False)])
    assert vectors.shape == (len(TEXTS), 384)
    with pytest.raises(RuntimeError, match="without a head"):
        NativeEncoder(Path(ref.path), model.config, library(), ignore).logits([(2, 3)], [None])
