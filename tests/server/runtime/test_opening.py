"""What computes a model is what the options of its worker ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.runtime.lane import Lane
from llmaas_server.runtime.opening import Opening
from llmaas_server.seam.values import ModelRef, Quantization, WorkerOptions
from support import tiny
from support.kernels import FOLDER, library
from support.native import saved
from support.tiny_tokenizers import byte_level


def opened(ref: ModelRef, options: WorkerOptions) -> Lane:
    return Opening(options).open(ref, options, lambda share: None)[1]


@pytest.fixture
def llama(tmp_path: Path) -> str:
    """The folder of a decoder that kernels can run."""
    saved(tmp_path)
    byte_level().save(str(tmp_path / "tokenizer.json"))
    return str(tmp_path)


@pytest.mark.parametrize(
    ("quantization", "bits"), [("auto", "int8"), ("int8", "int8"), ("int4", "int4")]
)
def test_a_decoder_has_the_bits_that_were_asked_for(
    quantization: Quantization, bits: str, llama: str
) -> None:
    instructions = library().instructions
    options = WorkerOptions(device="cpu", threads=1, quantization=quantization, kernels=str(FOLDER))
    lane = opened(ModelRef("m", llama, "decoder"), options)
    assert lane.kernels == f"native {instructions} {bits}"


def test_each_model_has_its_own(llama: str) -> None:
    library()
    options = WorkerOptions(
        device="cpu",
        threads=1,
        quantization="int4",
        model_quantization={"plain": "none", "fine": "int8"},
        kernels=str(FOLDER),
    )
    found = {
        name: opened(ModelRef(name, llama, "decoder"), options).kernels.split()[-1]
        for name in ("plain", "fine", "other")
    }
    assert found == {"plain": "float32", "fine": "int8", "other": "int4"}


def test_every_lane_names_what_computes(tmp_path: Path) -> None:
    options = WorkerOptions(device="cpu", threads=1, dtype="bfloat16")
    refs = [
        make(tmp_path / make.__name__)
        for make in (tiny.llama, tiny.embedder, tiny.classifier, tiny.bart)
    ]
    lanes = [opened(ref, options) for ref in refs]
    assert [lane.kernels for lane in lanes] == ["torch bfloat16"] * 4
    assert all(lane.weight_bytes for lane in lanes)
