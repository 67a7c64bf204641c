"""What a model will take is known from its files, and never less than it then takes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from llmaas_server.errors import Problem
from llmaas_server.runtime.kernels import build
from llmaas_server.runtime.kernels.supply import Supply
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.memory import Size
from llmaas_server.runtime.sizes import Sizes
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny
from support.kernels import FOLDER, library
from support.native import saved

TORCH = WorkerOptions(device="cpu", dtype="float32", kv_bytes=1000)

CASES: dict[str, Callable[[Path], ModelRef]] = {
    "llama": tiny.llama,
    "embedder": tiny.embedder,
    "classifier": tiny.classifier,
    "bart": tiny.bart,
    "t5": tiny.t5,
}


@pytest.mark.parametrize("case", CASES)
def test_torch_takes_what_was_estimated(case: str, tmp_path: Path) -> None:
    ref = CASES[case](tmp_path / case)
    estimate = Sizes(TORCH)(ref)
    actual = load(ref, TORCH, lambda share: None).bytes
    assert estimate.weights == pytest.approx(actual, rel=0.15)


@pytest.mark.parametrize(
    ("case", "kv"), [("llama", 1000), ("bart", 1000), ("embedder", 0), ("classifier", 0)]
)
def test_models_that_write_have_keys_and_values(case: str, kv: int, tmp_path: Path) -> None:
    assert Sizes(TORCH)(CASES[case](tmp_path / case)).kv == kv


def test_a_quantized_file_is_counted_by_its_weights(tmp_path: Path) -> None:
    """torch gets them whole: 4 x 64 of four bits, 8 x 32 of eight, and a bias."""
    tensors = {
        "a.weight.q4": np.zeros((4, 32), np.uint8),
        "a.weight.scale": np.zeros((4, 2), np.float16),
        "a.weight.min": np.zeros((4, 2), np.float16),
        "b.weight.q8": np.zeros((8, 32), np.int8),
        "b.weight.scale": np.zeros((8, 1), np.float16),
        "b.bias": np.zeros(8, np.float16),
    }
    save_file(tensors, tmp_path / "model.safetensors")
    assert Sizes(TORCH)(ModelRef("m", str(tmp_path), "classifier")) == Size(
        4 * (4 * 64 + 8 * 32 + 8)
    )


def test_half_precision_takes_half(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    half = WorkerOptions(device="cpu", dtype="bfloat16")
    assert Sizes(half)(ref).weights * 2 == Sizes(TORCH)(ref).weights


def test_packed_weights_take_less_and_both_forms_count_while_kernels_are_built(
    tmp_path: Path,
) -> None:
    library()  # Built from here on, or the test is skipped.
    saved(tmp_path / "model", vocab_size=64)
    ref = ModelRef("m", str(tmp_path / "model"), "decoder")
    whole = Sizes(WorkerOptions(device="cpu", quantization="none"))(ref).weights
    packed = Sizes(WorkerOptions(device="cpu"), Supply(FOLDER, 1))(ref).weights
    both = Sizes(WorkerOptions(device="cpu"), Supply(tmp_path / "empty", 1))(ref).weights
    elements = sum(one.size for one in load_file(tmp_path / "model" / "model.safetensors").values())
    assert elements < packed < whole
    assert both == whole + packed


def test_what_kernels_cannot_run_is_left_to_torch(tmp_path: Path) -> None:
    library()
    ref = tiny.bart(tmp_path)
    options = WorkerOptions(device="cpu")
    assert Sizes(options, Supply(FOLDER, 1))(ref).weights == Sizes(TORCH)(ref).weights


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    file = tmp_path / "model.safetensors"
    file.write_bytes(file.read_bytes()[:100])
    with pytest.raises(Problem, match=r"model\.safetensors is cut off") as caught:
        Sizes(TORCH)(ref)
    assert caught.value.code == "model_broken"


def test_a_config_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "nobody-knows"}))
    with pytest.raises(Problem, match=r"config\.json") as caught:
        Sizes(WorkerOptions(device="cpu"), Supply(tmp_path, 1))(ref)
    assert caught.value.code == "model_broken"


def test_a_model_that_is_not_to_be_quantized_is_left_to_torch(tmp_path: Path) -> None:
    library()
    saved(tmp_path / "model", vocab_size=64)
    options = WorkerOptions(device="cpu", model_quantization={"plain": "none"})
    sizes = Sizes(options, Supply(FOLDER, 1))
    plain, packed = (
        sizes(ModelRef(name, str(tmp_path / "model"), "decoder")) for name in ("plain", "other")
    )
    assert plain == Sizes(options)(ModelRef("plain", str(tmp_path / "model"), "decoder"))
    assert packed.weights < plain.weights


def test_kernels_that_cannot_be_built_count_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "model", vocab_size=64)
    ref = ModelRef("m", str(tmp_path / "model"), "decoder")
    whole = Sizes(TORCH)(ref).weights
    failing = tmp_path / "c++"
    failing.write_text("#!/bin/sh\necho no >&2\nexit 1\n")
    failing.chmod(0o700)
    monkeypatch.setattr(build, "COMPILERS", (str(failing),))
    sizes = Sizes(WorkerOptions(device="cpu"), Supply(tmp_path / "kernels", 1))
    assert sizes(ref).weights > whole
    assert sizes(ref, built=True).weights == whole
    assert sizes(ref).weights == whole


def test_without_a_compiler_there_is_one_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path / "model", vocab_size=64)
    ref = ModelRef("m", str(tmp_path / "model"), "decoder")
    monkeypatch.setattr(build, "COMPILERS", ())
    supply = Supply(tmp_path / "kernels", 1)
    assert Sizes(WorkerOptions(device="cpu"), supply)(ref) == Sizes(WorkerOptions(device="cpu"))(
        ref
    )
