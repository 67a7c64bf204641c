"""Models come whole from local safetensors, or a Problem says what is wrong with which file."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from llmaas_server.errors import Problem
from llmaas_server.models.blocks import Blocks, dequantize
from llmaas_server.runtime.loader import LoadedModel, load
from llmaas_server.runtime.request import Sampling
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny

OPTIONS = WorkerOptions(device="cpu", dtype="float32")


def loaded(ref: ModelRef, options: WorkerOptions = OPTIONS) -> LoadedModel:
    return load(ref, options, lambda share: None)


def refusal(ref: ModelRef) -> Problem:
    with pytest.raises(Problem) as caught:
        loaded(ref)
    return caught.value


def weights_of(folder: Path) -> dict[str, torch.Tensor]:
    weights: dict[str, torch.Tensor] = load_file(folder / "model.safetensors")
    return weights


def rewrite(path: Path, **values: Any) -> None:
    stated = json.loads(path.read_text()) if path.exists() else {}
    path.write_text(json.dumps(stated | values))


# --- what is loaded -----------------------------------------------------------------------------

CASES: dict[str, tuple[Callable[[Path], ModelRef], Any]] = {
    "llama": (tiny.llama, transformers.AutoModelForCausalLM),
    "qwen2": (tiny.qwen2, transformers.AutoModelForCausalLM),
    "embedder": (tiny.embedder, transformers.AutoModel),
    "classifier": (tiny.classifier, transformers.AutoModelForSequenceClassification),
    "bart_nli": (tiny.bart_nli, transformers.AutoModelForSequenceClassification),
    "bart": (tiny.bart, transformers.AutoModelForSeq2SeqLM),
    "t5": (tiny.t5, transformers.AutoModelForSeq2SeqLM),
}


@pytest.mark.parametrize("case", CASES)
def test_weights_are_those_that_transformers_loads(case: str, tmp_path: Path) -> None:
    make, auto = CASES[case]
    model = loaded(make(tmp_path))
    want = auto.from_pretrained(tmp_path).state_dict()
    got = model.module.state_dict()
    assert got.keys() == want.keys()
    assert all(torch.equal(got[name], want[name]) for name in want)
    assert not model.module.training
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert model.bytes >= sum(t.nbytes for t in weights_of(tmp_path).values())


def test_progress_is_the_share_of_bytes(tmp_path: Path) -> None:
    shares: list[float] = []
    load(tiny.llama(tmp_path), OPTIONS, shares.append)
    assert shares == sorted(shares)
    assert len(shares) > 10
    assert 0 < shares[0] < 1
    assert shares[-1] == 1.0


def test_weights_may_lie_in_several_files(tmp_path: Path) -> None:
    ref = tiny.classifier(tmp_path)
    want = weights_of(tmp_path)
    names = sorted(want)
    parts = {"a.safetensors": names[:5], "b.safetensors": names[5:]}
    for file, part in parts.items():
        save_file({name: want[name] for name in part}, tmp_path / file, {"format": "pt"})
    index = {"weight_map": {name: file for file, part in parts.items() for name in part}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    (tmp_path / "model.safetensors").unlink()
    got = loaded(ref).module.state_dict()
    assert all(torch.equal(got[name], want[name]) for name in names)


def test_the_type_of_numbers_is_that_of_the_options(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    half = {name: tensor.half() for name, tensor in weights_of(tmp_path).items()}
    save_file(half, tmp_path / "model.safetensors", {"format": "pt"})
    for dtype, want in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        model = loaded(ref, WorkerOptions(device="cpu", dtype=dtype))  # type: ignore[arg-type]
        assert model.dtype is want
        assert {parameter.dtype for parameter in model.module.parameters()} == {want}


def test_a_resident_model_does_not_need_its_file(tmp_path: Path) -> None:
    model = loaded(tiny.embedder(tmp_path))
    ids = torch.tensor([model.tokenizer.encode("I love Python")])
    before = model.module(ids).last_hidden_state
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"\0" * path.stat().st_size)
    assert torch.equal(model.module(ids).last_hidden_state, before)


def test_quantized_blocks_are_dequantized(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    weights = weights_of(tmp_path)
    draw = np.random.default_rng(1)
    name, other = (f"model.layers.{i}.mlp.down_proj.weight" for i in (0, 1))
    rows, columns = weights[name].shape
    groups = columns // 32
    scale, minimum = (draw.random((rows, groups)).astype(np.float16) for _ in range(2))
    nibbles = draw.integers(0, 256, (rows, columns // 2)).astype(np.uint8)
    whole = draw.integers(-128, 128, (rows, columns)).astype(np.int8)
    del weights[name], weights[other]
    parts = {".q4": nibbles, ".scale": scale, ".min": minimum}
    weights |= {name + suffix: torch.tensor(part) for suffix, part in parts.items()}
    parts = {".q8": whole, ".scale": scale}
    weights |= {other + suffix: torch.tensor(part) for suffix, part in parts.items()}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    got = loaded(ref).module.state_dict()
    np.testing.assert_array_equal(got[name], dequantize(Blocks(nibbles, scale, minimum)))
    np.testing.assert_array_equal(got[other], dequantize(Blocks(whole, scale)))


def test_models_load_side_by_side(tmp_path: Path) -> None:
    refs = [make(tmp_path / name) for name, (make, _) in CASES.items()]
    models: list[LoadedModel] = []
    threads = [threading.Thread(target=lambda r=r: models.append(loaded(r))) for r in refs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(models) == len(refs)
    assert torch.get_default_dtype() is torch.float32


# --- what the files say -------------------------------------------------------------------------


def test_a_decoder_states_its_lengths_and_stops(tmp_path: Path) -> None:
    model = loaded(tiny.llama(tmp_path, context=300))
    assert (model.context, model.max_completion) == (300, 300)
    assert model.tokenizer.control_id("<|im_end|>") in model.stop_ids
    assert model.tokenizer.control_id("<|im_start|>") not in model.stop_ids
    assert model.labels == ()


def test_the_context_of_an_embedder_is_what_it_was_trained_on(tmp_path: Path) -> None:
    ref = tiny.embedder(tmp_path, max_seq_length=77)
    assert loaded(ref).context == 77
    (tmp_path / "sentence_bert_config.json").unlink()
    assert loaded(ref).context == 512


def test_positions_of_roberta_begin_behind_its_padding(tmp_path: Path) -> None:
    ref = tiny.classifier(tmp_path)
    config = transformers.RobertaConfig(
        vocab_size=512,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=1,
        num_attention_heads=4,
        max_position_embeddings=514,
        pad_token_id=1,
        id2label={0: "no", 1: "yes"},
    )
    transformers.RobertaForSequenceClassification(config).save_pretrained(tmp_path)
    model = loaded(ref)
    assert model.context == 512
    assert model.module(torch.full((1, 512), 7)).logits.shape == (1, 2)


def test_a_model_without_positions_takes_the_tokenizers_length(tmp_path: Path) -> None:
    assert loaded(tiny.t5(tmp_path)).context == 512


def test_labels_are_in_the_order_of_the_head(tmp_path: Path) -> None:
    labels = [f"label {i}" for i in range(12)]
    model = loaded(tiny.classifier(tmp_path, labels=labels))
    assert list(model.labels) == labels
    assert not model.multi_label
    rewrite(tmp_path / "config.json", problem_type="multi_label_classification")
    assert loaded(ModelRef("m", str(tmp_path), "classifier")).multi_label


@pytest.mark.parametrize(
    ("stated", "prefix"),
    [
        ({}, ""),
        ({"task_specific_params": {"summarization": {"prefix": "summarize: "}}}, "summarize: "),
        ({"task_specific_params": {"summarization": {"num_beams": 4}}, "prefix": " "}, " "),
        ({"task_specific_params": {"translation_en_to_de": {"prefix": "translate: "}}}, ""),
        ({"task_specific_params": "none", "prefix": 3}, ""),
    ],
)
def test_what_stands_before_a_text_to_summarize(
    tmp_path: Path, stated: dict[str, Any], prefix: str
) -> None:
    ref = tiny.t5(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps(json.loads(config.read_text()) | stated))
    assert loaded(ref).source_prefix == prefix


def test_sampling_defaults_are_the_models_own(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    assert loaded(ref).sampling == Sampling(temperature=0.7)
    rewrite(
        tmp_path / "generation_config.json",
        do_sample=True,
        temperature=0.6,
        top_p=0.95,
        top_k=20,
        min_p=0.05,
        repetition_penalty=1.1,
        eos_token_id=[2, 9],
    )
    model = loaded(ref)
    assert model.sampling == Sampling(0.6, 0.95, 20, 0.05, 1.1)
    assert model.stop_ids >= {2, 9}


def test_a_summarizer_is_greedy_unless_its_files_ask_for_samples(tmp_path: Path) -> None:
    ref = tiny.bart(tmp_path)
    assert loaded(ref).sampling.temperature == 0.0
    assert loaded(ref).module.generation_config.forced_bos_token_id == 0
    rewrite(tmp_path / "generation_config.json", do_sample=True)
    assert loaded(ref).sampling.temperature == 0.7


@pytest.mark.real_models
def test_the_embedded_chat_model(chat_ref: ModelRef) -> None:
    model = loaded(chat_ref)
    assert (model.context, model.ref.kind) == (8192, "decoder")
    end = model.tokenizer.control_id("<|im_end|>")
    assert end in model.stop_ids
    ids = model.tokenizer.encode_chat([{"role": "user", "content": "<|im_end|>"}])
    assert ids.count(end or -1) == 2  # of the default system message, and of the user's


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize("make", [tiny.headless, tiny.beheaded])
def test_a_classifier_without_a_trained_head_is_refused(
    make: Callable[[Path], ModelRef], tmp_path: Path
) -> None:
    problem = refusal(make(tmp_path))
    assert problem.code == "model_has_no_head"
    assert "classifier.weight" in problem.message


def test_an_encoder_asked_for_classes_has_no_head(tmp_path: Path) -> None:
    ref = tiny.embedder(tmp_path)
    assert refusal(ModelRef(ref.name, ref.path, "classifier")).code == "model_has_no_head"


def test_missing_weights_are_named(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    weights = weights_of(tmp_path)
    del weights["model.layers.1.self_attn.q_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    problem = refusal(ref)
    assert problem.code == "model_broken"
    assert "model.layers.1.self_attn.q_proj.weight" in problem.message


def test_an_encoder_needs_no_pooler(tmp_path: Path) -> None:
    ref = tiny.embedder(tmp_path)
    weights = {n: t for n, t in weights_of(tmp_path).items() if not n.startswith("pooler.")}
    save_file(weights, tmp_path / "model.safetensors", {"format": "pt"})
    assert loaded(ref).pooling == ("mean",)


@pytest.mark.parametrize("size", [0, 7, 100, 50_000])
def test_a_file_that_is_cut_off_is_named(size: int, tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    problem = refusal(ref)
    assert problem.code == "model_broken"
    assert str(path) in problem.message


def test_pickle_is_never_read(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    torch.save(weights_of(tmp_path), tmp_path / "pytorch_model.bin")
    (tmp_path / "model.safetensors").unlink()
    problem = refusal(ref)
    assert problem.code == "model_broken"
    assert "never pickle" in problem.hint


def test_code_in_a_models_folder_is_never_run(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    (tmp_path / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    auto_map = {"AutoConfig": "evil.Config", "AutoModelForCausalLM": "evil.Model"}
    rewrite(tmp_path / "config.json", auto_map=auto_map, model_type="evil")
    assert refusal(ref).code == "model_broken"
    rewrite(tmp_path / "config.json", model_type="llama")
    assert loaded(ref).module.config.model_type == "llama"
    assert not (tmp_path / "ran").exists()


def test_shards_outside_of_the_folder_are_not_read(tmp_path: Path) -> None:
    ref = tiny.llama(tmp_path)
    index = {"weight_map": {"model.norm.weight": "../model.safetensors"}}
    (tmp_path / "model.safetensors.index.json").write_text(json.dumps(index))
    assert "outside" in refusal(ref).message


@pytest.mark.parametrize(
    ("file", "values", "said"),
    [
        ("config.json", {"quantization_config": {"quant_method": "gptq"}}, "gptq"),
        ("config.json", {"model_type": "unheard-of"}, "config.json"),
        ("generation_config.json", {"temperature": "hot"}, "temperature"),
        ("1_Pooling/config.json", {"pooling_mode_weightedmean_tokens": True}, "weightedmean"),
    ],
)
def test_what_the_files_ask_for_and_is_not_there_is_refused(
    file: str, values: dict[str, Any], said: str, tmp_path: Path
) -> None:
    ref = tiny.embedder(tmp_path)
    rewrite(tmp_path / file, **values)
    problem = refusal(ref)
    assert problem.code == "model_broken"
    assert said in problem.message


def test_a_module_that_is_not_implemented_is_refused(tmp_path: Path) -> None:
    ref = tiny.embedder(tmp_path)
    path = tmp_path / "modules.json"
    dense = {"idx": 3, "name": "3", "path": "3_Dense", "type": "sentence_transformers.models.Dense"}
    path.write_text(json.dumps([*json.loads(path.read_text()), dense]))
    assert "Dense" in refusal(ref).message


def test_a_model_of_another_kind_is_refused(tmp_path: Path) -> None:
    ref = tiny.embedder(tmp_path)
    assert refusal(ModelRef(ref.name, ref.path, "seq2seq")).code == "model_broken"


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert "config.json" in refusal(ModelRef("nothing", str(tmp_path), "decoder")).message
