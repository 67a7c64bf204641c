"""What the files beside the weights say of a model: lengths, stop tokens, labels, defaults."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from llmaas_server.models.generation import defaults_of, read_json
from llmaas_server.models.inspect import OFFSET, POSITIONS
from llmaas_server.seam.values import ModelRef

from .request import Sampling
from .tokenizer import TextTokenizer

_LONGEST = 10**7
"""A tokenizer that knows no limit says a number far above this."""

_UNSTATED = 512
"""Tokens, where nothing states a length (T5 was trained on this many)."""

_TURN_ENDS = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<end_of_turn>", "<|endoftext|>")


def context_of(ref: ModelRef, config: Any, tokenizer: TextTokenizer) -> int:
    """Most tokens of a sequence.

    For a sentence embedder the length that it was trained on, where its file states one
    (all-MiniLM-L6-v2: 256 of 512 positions): beyond that nobody has tested its vectors.
    """
    text = config.get_text_config()
    stated = next((n for name in POSITIONS if isinstance(n := getattr(text, name, None), int)), 0)
    if text.model_type in OFFSET:
        stated -= (text.pad_token_id or 0) + 1
    if stated <= 0:
        limit = tokenizer.model_max_length
        stated = limit if 0 < limit < _LONGEST else _UNSTATED
    if ref.kind != "encoder":
        return stated
    trained = read_json(Path(ref.path) / "sentence_bert_config.json").get("max_seq_length")
    return min(stated, trained) if isinstance(trained, int) and trained > 0 else stated


def max_completion_of(ref: ModelRef, config: Any, context: int) -> int:
    """Most tokens to generate: for seq2seq what the decoder has positions for."""
    limit = getattr(config, "max_decoder_position_embeddings", None)
    return limit if ref.kind == "seq2seq" and isinstance(limit, int) else context


def stop_ids_of(
    config: Any, tokenizer: TextTokenizer, generation: dict[str, Any]
) -> frozenset[int]:
    """Tokens that end an answer: of the generation config, the model, the tokenizer, and those
    that end a turn in chat templates."""
    stated = (
        generation.get("eos_token_id"),
        getattr(config.get_text_config(), "eos_token_id", None),
        tokenizer.eos_id,
        *map(tokenizer.control_id, _TURN_ENDS),
    )
    ids = (i for value in stated for i in (value if isinstance(value, list) else [value]))
    return frozenset(i for i in ids if isinstance(i, int))


def labels_of(ref: ModelRef, config: Any) -> tuple[str, ...]:
    if ref.kind != "classifier":
        return ()
    return tuple(str(label) for _, label in sorted(config.id2label.items()))


def source_prefix_of(ref: ModelRef, config: Any) -> str:
    """What stands before a text to summarize, found as transformers' own pipeline did: among the
    parameters of that task, else in the config itself. T5 names `summarize: `."""
    if ref.kind != "seq2seq":
        return ""
    tasks = getattr(config, "task_specific_params", None) or {}
    stated = tasks.get("summarization") if isinstance(tasks, dict) else None
    prefix = stated.get("prefix") if isinstance(stated, dict) else None
    prefix = getattr(config, "prefix", None) if prefix is None else prefix
    return prefix if isinstance(prefix, str) else ""


def attention_heads_of(ref: ModelRef, config: Any) -> tuple[int, int] | None:
    """Layers and heads, as `interface.Model` has them."""
    layers = getattr(config, "num_hidden_layers", None)
    heads = getattr(config, "num_attention_heads", None)
    if ref.kind not in ("encoder", "classifier") or config.is_encoder_decoder:
        return None
    return (layers, heads) if isinstance(layers, int) and isinstance(heads, int) else None


def sampling_of(ref: ModelRef, generation: dict[str, Any]) -> Sampling:
    """The model's own defaults."""
    return Sampling(**asdict(defaults_of(ref.kind, generation)))
