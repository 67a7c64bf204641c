"""Small random models of every shape, saved as a real checkpoint would be.

Each function fills a folder (config, safetensors, tokenizer) in well under a second and returns
the `ModelRef` of it. The weights are random but the same for the same seed, and large enough that
outputs differ between inputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import transformers

from llmaas_server.seam.values import ModelKind, ModelRef

from .tiny_tokenizers import (
    bart_tokenizer,
    bert_tokenizer,
    byte_level,
    chat_tokenizer,
    t5_tokenizer,
)

NLI_LABELS = ("entailment", "neutral", "contradiction")


# --- decoders -----------------------------------------------------------------------------------


def llama(
    folder: Path, *, seed: int = 0, name: str = "tiny-llama", context: int = 2048
) -> ModelRef:
    """A chat decoder with grouped-query attention and ChatML over byte-level BPE."""
    tokenizer = chat_tokenizer(byte_level())
    config = transformers.LlamaConfig(**_decoder_sizes(tokenizer, context))
    return _save(folder, name, "decoder", transformers.LlamaForCausalLM, config, tokenizer, seed)


def talker(folder: Path, template: str, marks: Sequence[str] = (), *, seed: int = 0) -> ModelRef:
    """A chat decoder with a template of its own; the marks are tokens, though not special ones."""
    backend = byte_level()
    backend.add_tokens(list(marks))
    tokenizer = chat_tokenizer(backend)
    tokenizer.chat_template = template
    config = transformers.LlamaConfig(**_decoder_sizes(tokenizer, 2048))
    made = transformers.LlamaForCausalLM
    return _save(folder, "tiny-talker", "decoder", made, config, tokenizer, seed)


def qwen2(
    folder: Path, *, seed: int = 0, name: str = "tiny-qwen2", context: int = 2048
) -> ModelRef:
    """Another decoder family: biases in attention."""
    tokenizer = chat_tokenizer(byte_level())
    config = transformers.Qwen2Config(**_decoder_sizes(tokenizer, context))
    return _save(folder, name, "decoder", transformers.Qwen2ForCausalLM, config, tokenizer, seed)


def _decoder_sizes(tokenizer: Any, context: int) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": context,
        "initializer_range": 0.3,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }


# --- encoders -----------------------------------------------------------------------------------


def embedder(
    folder: Path,
    *,
    seed: int = 0,
    name: str = "tiny-embedder",
    pooling: str = "mean",
    max_seq_length: int = 128,
) -> ModelRef:
    """A BERT with the files that sentence-transformers writes; pooling is mean, cls or max."""
    tokenizer = bert_tokenizer()
    ref = _save(
        folder, name, "encoder", transformers.BertModel, _bert_config(tokenizer), tokenizer, seed
    )
    modules = ("Transformer", "Pooling", "Normalize")
    _write(
        folder / "modules.json",
        [
            {
                "idx": i,
                "name": str(i),
                "path": "" if i == 0 else f"{i}_{module}",
                "type": f"sentence_transformers.models.{module}",
            }
            for i, module in enumerate(modules)
        ],
    )
    _write(
        folder / "1_Pooling" / "config.json",
        {
            "word_embedding_dimension": 32,
            "pooling_mode_cls_token": pooling == "cls",
            "pooling_mode_mean_tokens": pooling == "mean",
            "pooling_mode_max_tokens": pooling == "max",
            "pooling_mode_mean_sqrt_len_tokens": False,
        },
    )
    _write(
        folder / "sentence_bert_config.json",
        {"max_seq_length": max_seq_length, "do_lower_case": False},
    )
    return ModelRef(ref.name, ref.path, "encoder", sentence_embeddings=True)


def classifier(
    folder: Path,
    *,
    labels: Sequence[str] = ("negative", "positive"),
    seed: int = 0,
    name: str = "tiny-classifier",
    **options: Any,
) -> ModelRef:
    """A BERT with a classification head for `labels`; `options` are of its config."""
    tokenizer = bert_tokenizer()
    config = _bert_config(
        tokenizer,
        id2label=dict(enumerate(labels)),
        label2id={label: i for i, label in enumerate(labels)},
        **options,
    )
    model = transformers.BertForSequenceClassification
    return _save(folder, name, "classifier", model, config, tokenizer, seed)


def nli(folder: Path, *, seed: int = 0, name: str = "tiny-nli") -> ModelRef:
    """A classifier of pairs: entailment, neutral, contradiction."""
    return classifier(folder, labels=NLI_LABELS, seed=seed, name=name)


def headless(folder: Path, *, seed: int = 0, name: str = "tiny-headless") -> ModelRef:
    """Like `bert-base-uncased`: trained to fill masks, and no classification head in the file."""
    tokenizer = bert_tokenizer()
    config = _bert_config(tokenizer)
    return _save(folder, name, "classifier", transformers.BertForMaskedLM, config, tokenizer, seed)


def beheaded(folder: Path, *, seed: int = 0, name: str = "tiny-beheaded") -> ModelRef:
    """A config that claims a classification head over a file that has none."""
    ref = embedder(folder, seed=seed, name=name)
    config = json.loads((folder / "config.json").read_text())
    config["architectures"] = ["BertForSequenceClassification"]
    _write(folder / "config.json", config)
    return ModelRef(ref.name, ref.path, "classifier")


def _bert_config(tokenizer: Any, **options: Any) -> Any:
    chosen = {
        "vocab_size": len(tokenizer),
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 512,
        "initializer_range": 0.3,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return transformers.BertConfig(**(chosen | options))


# --- encoder-decoders ---------------------------------------------------------------------------


def bart(folder: Path, *, seed: int = 0, name: str = "tiny-bart", context: int = 256) -> ModelRef:
    """A summarizer with learned positions; it forces its first and last token as BART does."""
    tokenizer = bart_tokenizer()
    config = _bart_config(tokenizer, context, init_std=0.5, tie_word_embeddings=False)
    forced = {
        "forced_bos_token_id": tokenizer.bos_token_id,
        "forced_eos_token_id": tokenizer.eos_token_id,
    }
    model = transformers.BartForConditionalGeneration
    return _save(folder, name, "seq2seq", model, config, tokenizer, seed, **forced)


def bart_nli(folder: Path, *, seed: int = 0, name: str = "tiny-bart-nli") -> ModelRef:
    """A classifier of pairs without token types, as the common zero-shot models are."""
    tokenizer = bart_tokenizer()
    config = _bart_config(
        tokenizer,
        256,
        init_std=0.2,
        id2label=dict(enumerate(reversed(NLI_LABELS))),
        label2id={label: i for i, label in enumerate(reversed(NLI_LABELS))},
    )
    model = transformers.BartForSequenceClassification
    return _save(folder, name, "classifier", model, config, tokenizer, seed)


def _bart_config(tokenizer: Any, context: int, init_std: float, **options: Any) -> Any:
    return transformers.BartConfig(
        vocab_size=len(tokenizer),
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=64,
        decoder_ffn_dim=64,
        max_position_embeddings=context,
        init_std=init_std,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.eos_token_id,
        **options,
    )


def t5(folder: Path, *, seed: int = 0, name: str = "tiny-t5") -> ModelRef:
    """A summarizer with relative positions, so no length in its config."""
    tokenizer = t5_tokenizer()
    config = transformers.T5Config(
        vocab_size=len(tokenizer),
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        initializer_factor=4.0,
        tie_word_embeddings=False,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        decoder_start_token_id=tokenizer.pad_token_id,
    )
    model = transformers.T5ForConditionalGeneration
    return _save(folder, name, "seq2seq", model, config, tokenizer, seed)


# --- files --------------------------------------------------------------------------------------


def _save(
    folder: Path,
    name: str,
    kind: ModelKind,
    model: Any,
    config: Any,
    tokenizer: Any,
    seed: int,
    **generation: Any,
) -> ModelRef:
    with _seeded(seed):
        module = model(config)
    for option, value in generation.items():
        setattr(module.generation_config, option, value)
    with _quiet():
        module.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return ModelRef(name, str(folder), kind)


def _write(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Random numbers of `seed` within, and the caller's own afterwards."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


@contextmanager
def _quiet() -> Iterator[None]:
    bars = transformers.utils.logging.is_progress_bar_enabled()
    transformers.utils.logging.disable_progress_bar()
    try:
        yield
    finally:
        if bars:
            transformers.utils.logging.enable_progress_bar()
