"""Models as files, a few kilobytes each: folders, wheels, GGUF files. numpy alone, no torch."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import pre_tokenizers

from llmaas_server.models.catalogue import Catalogue, Entry
from llmaas_server.models.origin import Wheel

HIDDEN, INNER, LAYERS, HEADS, KV_HEADS, HEAD_DIM = 64, 96, 2, 4, 2, 16
TOKENS = [
    "<|endoftext|>",
    "<|im_start|>",
    "<|im_end|>",
    *sorted(pre_tokenizers.ByteLevel.alphabet()),
]
MERGES = ["h e", "l l", "he ll", "hell o"]
VOCABULARY = [*TOKENS, *(merge.replace(" ", "") for merge in MERGES)]

ENCODER = {
    "architectures": ["BertModel"],
    "model_type": "bert",
    "hidden_size": 8,
    "max_position_embeddings": 64,
}

Weights = dict[str, NDArray[np.float32]]


def model_folder(folder: Path, config: Mapping[str, Any] = ENCODER, seed: int = 0) -> Path:
    """A model as `save_pretrained` leaves it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config))
    (folder / "tokenizer.json").write_text("{}")
    values = np.random.default_rng(seed).standard_normal((8, 8)).astype(np.float32)
    save_file({"weight": values}, folder / "model.safetensors")
    return folder


def wheel_of(folder: Path, package: str, inside: Path, under: str) -> Path:
    """A wheel of `package` 1.0 with a file, or the files of a folder, at the path `under`."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = package.replace("-", "_")
    path = folder / f"{stem}-1.0-py3-none-any.whl"
    info = f"{stem}-1.0.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        if inside.is_dir():
            for file in sorted(inside.rglob("*")):
                archive.write(file, f"{under}/{file.relative_to(inside)}")
        else:
            archive.write(inside, under)
        archive.writestr(f"{stem}/__init__.py", "raise SystemExit('never imported')")
        metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\nRequires-Dist: nowhere\n"
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return path


def catalogue_of(*entries: Entry) -> Catalogue:
    return Catalogue(entries)


def entry_of(wheel: Path, inside: str, name: str = "tiny", **generation: float) -> Entry:
    """A catalogue entry whose source is that wheel."""
    package = wheel.name.partition("-")[0].replace("_", "-")
    content = wheel.read_bytes()
    return Entry(
        name=name,
        purpose="Tests",
        kind="decoder" if inside.endswith(".gguf") else "encoder",
        tasks=("chat",) if inside.endswith(".gguf") else ("embed",),
        parameters=64,
        dtype="float32",
        context=64,
        languages=("en",),
        licence="Apache-2.0",
        source=Wheel(package, "1.0", hashlib.sha256(content).hexdigest(), len(content), inside),
        generation=dict(generation),
    )


# --- GGUF ---------------------------------------------------------------------------------------


def decoder_weights(seed: int = 0, *, biases: bool = False, norms: bool = False) -> Weights:
    """Random weights of a small decoder, under transformers' names and in its order."""
    random = np.random.default_rng(seed)

    def draw(*shape: int) -> NDArray[np.float32]:
        return random.standard_normal(shape).astype(np.float32)

    q, kv = HEADS * HEAD_DIM, KV_HEADS * HEAD_DIM
    weights = {
        "model.embed_tokens.weight": draw(len(VOCABULARY), HIDDEN),
        "model.norm.weight": draw(HIDDEN),
    }
    for index in range(LAYERS):
        at = f"model.layers.{index}."
        weights |= {
            f"{at}input_layernorm.weight": draw(HIDDEN),
            f"{at}self_attn.q_proj.weight": draw(q, HIDDEN),
            f"{at}self_attn.k_proj.weight": draw(kv, HIDDEN),
            f"{at}self_attn.v_proj.weight": draw(kv, HIDDEN),
            f"{at}self_attn.o_proj.weight": draw(HIDDEN, q),
            f"{at}post_attention_layernorm.weight": draw(HIDDEN),
            f"{at}mlp.gate_proj.weight": draw(INNER, HIDDEN),
            f"{at}mlp.up_proj.weight": draw(INNER, HIDDEN),
            f"{at}mlp.down_proj.weight": draw(HIDDEN, INNER),
        }
        if biases:
            for part, size in (("q", q), ("k", kv), ("v", kv)):
                weights[f"{at}self_attn.{part}_proj.bias"] = draw(size)
        if norms:
            weights[f"{at}self_attn.q_norm.weight"] = draw(HEAD_DIM)
            weights[f"{at}self_attn.k_norm.weight"] = draw(HEAD_DIM)
    return weights


def gguf_file(
    path: Path,
    weights: Weights,
    *,
    architecture: str = "llama",
    matrices: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.Q4_1,
    embeddings: gguf.GGMLQuantizationType = gguf.GGMLQuantizationType.Q8_0,
    pre: str = "smollm",
    tokenizer: str = "gpt2",
    extra: Mapping[str, str] | None = None,
) -> Path:
    """What llama.cpp's converter would write for these weights: its names, its order of rows."""
    path.parent.mkdir(parents=True, exist_ok=True)
    writer = gguf.GGUFWriter(path, architecture)
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(INNER)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV_HEADS)
    writer.add_key_length(HEAD_DIM)
    writer.add_rope_freq_base(100000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_tokenizer_model(tokenizer)
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(VOCABULARY)
    writer.add_token_types([3] * 3 + [1] * (len(VOCABULARY) - 3))
    writer.add_token_merges(MERGES)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_pad_token_id(2)
    writer.add_chat_template("{{ messages[0]['content'] }}")
    for key, value in (extra or {}).items():
        writer.add_string(key, value)
    for name, values in weights.items():
        renamed = _gguf_name(name)
        if architecture == "llama" and renamed.endswith(("attn_q.weight", "attn_k.weight")):
            values = rotate_for_llama_cpp(values, HEADS if "attn_q" in renamed else KV_HEADS)
        kind = embeddings if renamed == "token_embd.weight" else matrices
        if values.ndim == 1:
            writer.add_tensor(renamed, values)
        else:
            writer.add_tensor(renamed, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def rotate_for_llama_cpp(values: NDArray[np.float32], heads: int) -> NDArray[np.float32]:
    """`permute` of llama.cpp's convert_hf_to_gguf.py."""
    halves = values.reshape(heads, 2, values.shape[0] // heads // 2, *values.shape[1:])
    return halves.swapaxes(1, 2).reshape(values.shape)


def _gguf_name(name: str) -> str:
    for old, new in (
        ("model.embed_tokens", "token_embd"),
        ("model.norm", "output_norm"),
        ("model.layers", "blk"),
        ("input_layernorm", "attn_norm"),
        ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.o_proj", "attn_output"),
        ("self_attn.q_norm", "attn_q_norm"),
        ("self_attn.k_norm", "attn_k_norm"),
        ("self_attn.q_proj", "attn_q"),
        ("self_attn.k_proj", "attn_k"),
        ("self_attn.v_proj", "attn_v"),
        ("mlp.gate_proj", "ffn_gate"),
        ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ):
        name = name.replace(old, new)
    return name
