"""GGUF to safetensors: names, order of rows, blocks, tokenizer; and files that are damaged."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
from gguf import GGMLQuantizationType as Kind
from numpy.typing import NDArray
from safetensors import safe_open
from tokenizers import Tokenizer

from llmaas_server.errors import Problem
from llmaas_server.models import blocks, weights
from llmaas_server.models.conversion.config import Unsupported
from llmaas_server.models.convert import convert, convert_in_child
from support.model_files import (
    VOCABULARY,
    Weights,
    decoder_weights,
    gguf_file,
)


def read_back(folder: Path) -> Weights:
    """All weights of a converted model as float32, under transformers' names."""
    path = folder / "model.safetensors"
    with safe_open(path, "np") as file:
        header = weights.read_header(path)
        forms = blocks.quantized_weights(header)
        parts = {part for name, form in forms.items() for part in blocks.part_names(name, form)}
        found: Weights = {}
        for name, form in forms.items():
            tensors = [file.get_tensor(part) for part in blocks.part_names(name, form)]
            found[name] = blocks.dequantize(blocks.Blocks(*tensors))
        for name in header.keys() - parts:
            found[name] = file.get_tensor(name).astype(np.float32)
    return found


def rounded(values: NDArray[np.float32], kind: Kind) -> NDArray[np.float32]:
    found: NDArray[np.float32] = gguf.quants.dequantize(gguf.quants.quantize(values, kind), kind)
    return found


@pytest.mark.parametrize(
    ("architecture", "biases", "norms"),
    [("llama", False, False), ("qwen2", True, False), ("qwen3", False, True)],
)
@pytest.mark.parametrize("kind", [Kind.Q4_1, Kind.Q4_0, Kind.Q8_0, Kind.F16, Kind.F32])
def test_weights_come_back_in_the_order_of_transformers(
    tmp_path: Path, architecture: str, biases: bool, norms: bool, kind: Kind
) -> None:
    original = decoder_weights(biases=biases, norms=norms)
    file = gguf_file(tmp_path / "m.gguf", original, architecture=architecture, matrices=kind)
    folder = tmp_path / "out"
    folder.mkdir()

    convert(file, folder, {})

    found = read_back(folder)
    assert found.keys() == original.keys()
    for name, values in original.items():
        by = Kind.Q8_0 if "embed_tokens" in name else kind
        expected = values if values.ndim == 1 else rounded(values, by)
        assert np.array_equal(found[name], expected), name


def test_blocks_are_kept_bit_by_bit(tmp_path: Path) -> None:
    original = decoder_weights()
    convert(gguf_file(tmp_path / "m.gguf", original), tmp_path, {})
    name = "model.layers.1.mlp.down_proj.weight"
    kept = blocks.from_gguf(gguf.quants.quantize(original[name], Kind.Q4_1), "Q4_1")

    with safe_open(tmp_path / "model.safetensors", "np") as file:
        stored = [file.get_tensor(part) for part in blocks.part_names(name, "q4")]

    for expected, found in zip((kept.values, kept.scale, kept.minimum), stored, strict=True):
        assert expected is not None
        assert found.dtype == expected.dtype
        assert np.array_equal(found, expected)
    assert json.loads((tmp_path / "quantization.json").read_text())["weights"][name] == {
        "gguf": "Q4_1",
        "kept": "q4",
    }


def test_other_types_become_bfloat16(tmp_path: Path) -> None:
    original = decoder_weights()
    convert(gguf_file(tmp_path / "m.gguf", original, matrices=Kind.Q5_1), tmp_path, {})
    name = "model.layers.0.mlp.up_proj.weight"

    header = weights.read_header(tmp_path / "model.safetensors")
    begin, end = header[name].data_offsets
    content = (tmp_path / "model.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    bits = np.frombuffer(content[start + begin : start + end], "<u2").astype(np.uint32) << 16
    found = bits.view(np.float32).reshape(header[name].shape)

    assert header[name].dtype == "BF16"
    expected = rounded(original[name], Kind.Q5_1)
    assert np.all(np.abs(found - expected) <= np.abs(expected) * 2**-8)
    said = json.loads((tmp_path / "quantization.json").read_text())["weights"][name]
    assert said == {"gguf": "Q5_1", "kept": "bfloat16"}


def test_config_and_generation(tmp_path: Path) -> None:
    convert(gguf_file(tmp_path / "m.gguf", decoder_weights()), tmp_path, {"temperature": 0.2})

    config = json.loads((tmp_path / "config.json").read_text())
    assert config["architectures"] == ["LlamaForCausalLM"]
    assert config["rms_norm_eps"] == 1e-5
    assert config["rope_parameters"] == {"rope_type": "default", "rope_theta": 100000.0}
    assert config["tie_word_embeddings"] is True
    assert config["vocab_size"] == len(VOCABULARY)
    assert json.loads((tmp_path / "generation_config.json").read_text()) == {
        "bos_token_id": 1,
        "eos_token_id": [2],
        "pad_token_id": 2,
        "temperature": 0.2,
    }


def test_tokenizer(tmp_path: Path) -> None:
    convert(gguf_file(tmp_path / "m.gguf", decoder_weights()), tmp_path, {})
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))

    assert tokenizer.encode("<|im_start|>hello").tokens == ["<|im_start|>", "hello"]
    assert tokenizer.encode("hello 12").tokens == ["hello", "Ġ", "1", "2"]
    for text in ("hello, wörld", "你好 😀", "\n\t x"):
        assert tokenizer.decode(tokenizer.encode(text).ids) == text
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert config["eos_token"] == "<|im_end|>"
    assert config["chat_template"] == "{{ messages[0]['content'] }}"


@pytest.mark.parametrize(
    ("pre", "text", "pieces"),
    [
        ("gpt-2", "a12 b", ["a", "12", "Ġb"]),
        ("smollm", "a12 b", ["a", "1", "2", "Ġb"]),
        ("qwen2", "a12.b", ["a", "1", "2", ".b"]),
        ("llama-bpe", "a1234 b", ["a", "123", "4", "Ġb"]),
    ],
)
def test_how_text_is_split(tmp_path: Path, pre: str, text: str, pieces: list[str]) -> None:
    convert(gguf_file(tmp_path / "m.gguf", decoder_weights(), pre=pre), tmp_path, {})
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))

    assert [piece for piece, _ in tokenizer.pre_tokenizer.pre_tokenize_str(text)] == pieces


def test_llama_begins_with_its_first_token(tmp_path: Path) -> None:
    convert(gguf_file(tmp_path / "m.gguf", decoder_weights(), pre="llama-bpe"), tmp_path, {})
    tokenizer = Tokenizer.from_file(str(tmp_path / "tokenizer.json"))

    assert tokenizer.encode("hello").tokens == ["<|im_start|>", "hello"]
    assert tokenizer.encode("hello", add_special_tokens=False).tokens == ["hello"]


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        ({"architecture": "falcon"}, "architecture falcon"),
        ({"tokenizer": "llama"}, "tokenizer of the kind llama"),
        ({"pre": "who-knows"}, "in the way who-knows"),
        ({"extra": {"llama.rope.scaling.type": "yarn"}}, "scales its positions"),
    ],
)
def test_what_would_come_out_wrong_is_refused(
    tmp_path: Path, arguments: dict[str, Any], word: str
) -> None:
    file = gguf_file(tmp_path / "m.gguf", decoder_weights(), **arguments)

    with pytest.raises(Unsupported, match=word):
        convert(file, tmp_path, {})


def test_a_tensor_too_few_and_one_too_many(tmp_path: Path) -> None:
    few = decoder_weights()
    del few["model.layers.1.mlp.up_proj.weight"]
    many = decoder_weights() | {"model.layers.0.self_attn.q_proj.bias": np.ones(64, np.float32)}

    with pytest.raises(ValueError, match=r"lacks the tensor blk\.1\.ffn_up\.weight"):
        convert(gguf_file(tmp_path / "few.gguf", few), tmp_path, {})
    with pytest.raises(Unsupported, match=r"blk\.0\.attn_q\.bias"):
        convert(gguf_file(tmp_path / "many.gguf", many), tmp_path, {})


def test_a_file_cut_off_anywhere_is_refused(tmp_path: Path) -> None:
    whole = gguf_file(tmp_path / "m.gguf", decoder_weights()).read_bytes()
    cut = tmp_path / "cut.gguf"
    places = [0, 3, 4, 20, 24, 30, *range(100, len(whole) - 1, len(whole) // 40), len(whole) - 1]

    for place in places:
        cut.write_bytes(whole[:place])
        with pytest.raises(ValueError, match=r"is cut off|is not a GGUF file"):
            convert(cut, tmp_path / "out", {})


def test_damaged_bytes_are_refused_or_harmless(tmp_path: Path) -> None:
    """Whatever a header says, reading it neither crashes in another way nor runs away."""
    whole = bytearray(gguf_file(tmp_path / "m.gguf", decoder_weights()).read_bytes())
    fields = whole.find(b"tokenizer.ggml.model")  # before it lie the numbers that shapes hang on
    broken = tmp_path / "broken.gguf"
    chance = random.Random(0)
    refused = 0
    for attempt in range(150):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(4, fields)] = chance.randrange(256)
        broken.write_bytes(damaged)
        out = tmp_path / str(attempt)
        out.mkdir()
        try:
            convert(broken, out, {})
        except (ValueError, Unsupported):
            refused += 1
    assert refused > 75


def test_the_child_names_the_file_and_the_way_out(tmp_path: Path) -> None:
    file = gguf_file(tmp_path / "whole.gguf", decoder_weights())
    os.truncate(file, file.stat().st_size // 2)
    with pytest.raises(Problem, match=r"whole\.gguf is cut off") as broken:
        convert_in_child(file, tmp_path, {})
    assert broken.value.code == "model_broken"

    other = gguf_file(tmp_path / "other.gguf", decoder_weights(), architecture="falcon")
    with pytest.raises(Problem, match=r"other\.gguf is of the architecture falcon") as foreign:
        convert_in_child(other, tmp_path, {})
    assert "safetensors" in foreign.value.hint


def test_the_child_needs_no_torch(tmp_path: Path) -> None:
    file = gguf_file(tmp_path / "m.gguf", decoder_weights())
    code = (
        "import sys; from llmaas_server.models.convert import main; "
        f"status = main([{str(file)!r}, {str(tmp_path)!r}]); "
        "sys.exit(9 if 'torch' in sys.modules or 'transformers' in sys.modules else status)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
