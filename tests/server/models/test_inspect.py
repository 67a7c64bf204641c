"""What a folder is, by its configuration; and what is refused before anything loads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.models.inspect import Inspection, inspect, tasks_of
from llmaas_server.seam.values import ModelKind
from support.model_files import ENCODER, model_folder


@pytest.mark.parametrize(
    ("architecture", "encoder_decoder", "kind"),
    [
        ("LlamaForCausalLM", False, "decoder"),
        ("GPT2LMHeadModel", False, "decoder"),
        ("BertModel", False, "encoder"),
        ("BertForMaskedLM", False, "encoder"),
        ("BertForPreTraining", False, "encoder"),
        ("DistilBertForSequenceClassification", False, "classifier"),
        ("BartForSequenceClassification", True, "classifier"),
        ("BartForConditionalGeneration", True, "seq2seq"),
        ("T5ForConditionalGeneration", True, "seq2seq"),
    ],
)
def test_kind(tmp_path: Path, architecture: str, encoder_decoder: bool, kind: ModelKind) -> None:
    config = {"architectures": [architecture], "max_position_embeddings": 64}
    model_folder(tmp_path, config | {"is_encoder_decoder": encoder_decoder})

    assert inspect(tmp_path) == Inspection(kind, False, 64)


@pytest.mark.parametrize(
    "config",
    [
        {"architectures": ["Gemma3ForConditionalGeneration"]},  # sees pictures, decodes only
        {"architectures": ["BartModel"], "is_encoder_decoder": True},
        {"architectures": ["ViTForImageClassification"]},
        {"architectures": []},
        {"architectures": None},
    ],
)
def test_other_shapes_are_refused(tmp_path: Path, config: dict[str, Any]) -> None:
    model_folder(tmp_path, config)

    with pytest.raises(Problem, match="which is not supported"):
        inspect(tmp_path)


@pytest.mark.parametrize(
    ("config", "tokenizer", "sentences", "context"),
    [
        ({"max_position_embeddings": 512}, {}, {}, 512),
        ({"n_positions": 1024}, {}, {}, 1024),
        ({"model_type": "roberta", "max_position_embeddings": 514, "pad_token_id": 1}, {}, {}, 512),
        ({}, {"model_max_length": 128}, {}, 128),
        ({}, {"model_max_length": 1e30}, {}, 512),
        ({"max_position_embeddings": 512}, {}, {"max_seq_length": 256}, 256),
        ({"max_position_embeddings": 512}, {}, {"max_seq_length": None}, 512),
    ],
)
def test_context(
    tmp_path: Path,
    config: dict[str, Any],
    tokenizer: dict[str, Any],
    sentences: dict[str, Any],
    context: int,
) -> None:
    model_folder(tmp_path, {"architectures": ["BertModel"], **config})
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (tmp_path / "sentence_bert_config.json").write_text(json.dumps(sentences))

    assert inspect(tmp_path).context == context


def test_sentence_embeddings(tmp_path: Path) -> None:
    model_folder(tmp_path)
    assert not inspect(tmp_path).sentence_embeddings

    modules = [
        {"type": f"sentence_transformers.models.{name}"} for name in ("Transformer", "Pooling")
    ]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    assert inspect(tmp_path).sentence_embeddings

    modules.append({"type": "sentence_transformers.models.Dense"})
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(Problem, match=r"not supported: sentence_transformers\.models\.Dense"):
        inspect(tmp_path)


@pytest.mark.parametrize(
    ("kind", "sentences", "tasks"),
    [
        ("encoder", True, ("embed", "classify", "summarize")),
        ("encoder", False, ("embed",)),
        ("decoder", False, ("chat", "summarize", "classify")),
        ("classifier", False, ("classify",)),
        ("seq2seq", False, ("summarize",)),
    ],
)
def test_tasks(kind: ModelKind, sentences: bool, tasks: tuple[str, ...]) -> None:
    assert tasks_of(kind, sentences) == tasks


@pytest.mark.parametrize("file", ["config.json", "tokenizer_config.json"])
@pytest.mark.parametrize(
    "asking",
    [
        {"auto_map": {"AutoModel": "modeling.Model"}},
        {"text_config": {"layers": [{"auto_map": {}}]}},
        {"trust_remote_code": True},
    ],
)
def test_code_of_the_model_is_refused_at_any_depth(
    tmp_path: Path, file: str, asking: dict[str, Any]
) -> None:
    model_folder(tmp_path)
    (tmp_path / file).write_text(json.dumps({**ENCODER, **asking}))

    with pytest.raises(Problem, match="asks to run code") as refusal:
        inspect(tmp_path)
    assert refusal.value.code == "model_broken"


@pytest.mark.parametrize("pickle", ["pytorch_model.bin", "model.pt", "weights.ckpt", "m.pkl"])
def test_pickle_alone_is_refused(tmp_path: Path, pickle: str) -> None:
    model_folder(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / pickle)

    with pytest.raises(Problem, match="as pickle only"):
        inspect(tmp_path)


def test_damaged_files_are_named(tmp_path: Path) -> None:
    model_folder(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(Problem, match=r"config\.json is not valid JSON"):
        inspect(tmp_path)


def test_weights_cut_off_anywhere_are_named(tmp_path: Path) -> None:
    model_folder(tmp_path)
    path = tmp_path / "model.safetensors"
    whole = path.read_bytes()
    for place in (0, 4, 8, 20, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:place])
        with pytest.raises(Problem, match=r"model\.safetensors") as broken:
            inspect(tmp_path)
        assert broken.value.code == "model_broken"


@pytest.mark.parametrize(
    "entry",
    [
        {"dtype": "F32", "shape": [8, 8], "data_offsets": [0, 10]},
        {"dtype": "F32", "shape": [8, 8], "data_offsets": [1000, 1256]},
        {"dtype": "F32", "shape": [-8, -8], "data_offsets": [0, 256]},
        {"dtype": "PICKLE", "shape": [8, 8], "data_offsets": [0, 256]},
        {"dtype": "F32", "shape": "8", "data_offsets": [0, 256]},
        [],
    ],
)
def test_headers_that_lie_are_refused(tmp_path: Path, entry: Any) -> None:
    model_folder(tmp_path)
    header = json.dumps({"weight": entry}).encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(256))

    with pytest.raises(Problem, match=r"model\.safetensors"):
        inspect(tmp_path)


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    model_folder(tmp_path)
    first, second = (f"model-0000{i}-of-00002.safetensors" for i in (1, 2))
    (tmp_path / "model.safetensors").rename(tmp_path / first)
    index = {"weight_map": {"a": first, "b": second}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))

    with pytest.raises(Problem, match=f"lacks {second}"):
        inspect(tmp_path)


def test_a_folder_of_gguf_files_is_not_a_model(tmp_path: Path) -> None:
    model_folder(tmp_path)
    (tmp_path / "model.safetensors").rename(tmp_path / "Q4_0.gguf")

    with pytest.raises(Problem, match=r"holds GGUF files \(Q4_0\.gguf\)") as refusal:
        inspect(tmp_path)
    assert "llmaas models import FILE.gguf" in refusal.value.hint
