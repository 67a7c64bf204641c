"""What a folder of model files is, from its configuration alone. No torch, no transformers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmaas_server.errors import Problem
from llmaas_server.seam.values import ModelKind

from . import files, weights

_CODE_KEYS = {"auto_map", "trust_remote_code", "custom_pipelines"}
POSITIONS = (
    "max_position_embeddings",
    "n_positions",
    "max_encoder_position_embeddings",
    "max_source_positions",
    "n_ctx",
    "max_seq_len",
    "max_sequence_length",
    "seq_length",
)
OFFSET = {
    "camembert",
    "data2vec-text",
    "ibert",
    "longformer",
    "mpnet",
    "roberta",
    "roberta-prelayernorm",
    "xlm-roberta",
    "xlm-roberta-xl",
    "xmod",
}
"""Families whose positions begin behind the padding token's: the first ones are never used."""
_PLAIN_MODULES = {"Transformer", "Pooling", "Normalize"}
"""Of sentence-transformers: what the runtime does; further layers (Dense) it would leave out."""
_LONGEST = 10**7  # a tokenizer that knows no limit says a number far above this
_UNSTATED = 512  # tokens, where nothing states a length: what T5 was trained on


@dataclass(frozen=True, slots=True)
class Inspection:
    kind: ModelKind
    sentence_embeddings: bool
    context: int


def inspect(folder: Path) -> Inspection:
    """Read the configuration and the headers of the weights.

    Raises Problem `model_broken` for what cannot be loaded: files that are damaged or cut off,
    models that bring code of their own, unknown shapes.
    """
    chosen = files.choose(files.relative_files(folder), str(folder))
    config = _read(folder / "config.json")
    for name in chosen:
        if name.endswith(".json"):
            refuse_code(_read_any(folder / name), folder / name)
        if files.is_weights(name):
            _check_weights(folder / name)
    _check_shards(folder, chosen)
    kind = kind_of(config, folder)
    return Inspection(
        kind,
        kind == "encoder" and _embeds_sentences(folder),
        context_of(
            kind,
            config,
            _optional(folder / "tokenizer_config.json"),
            _optional(folder / "sentence_bert_config.json"),
        ),
    )


def tasks_of(kind: ModelKind, sentence_embeddings: bool) -> tuple[str, ...]:
    """The tasks that a model of this kind can do; the first is what it was made for."""
    if kind == "encoder":
        return ("embed", "classify", "summarize") if sentence_embeddings else ("embed",)
    if kind == "decoder":
        return ("chat", "summarize", "classify")
    return ("classify",) if kind == "classifier" else ("summarize",)


def kind_of(config: Mapping[str, Any], where: Path) -> ModelKind:
    """The shape of a model by the class that it names in `architectures`."""
    names = config.get("architectures") or []
    name = str(names[0]) if isinstance(names, list) and names else ""
    encoder_decoder = config.get("is_encoder_decoder") is True
    if name.endswith("ForSequenceClassification"):
        return "classifier"
    if name.endswith("ForConditionalGeneration") and encoder_decoder:
        return "seq2seq"
    if name.endswith(("ForCausalLM", "GPT2LMHeadModel")) and not encoder_decoder:
        return "decoder"
    if name.endswith(("ForMaskedLM", "ForPreTraining", "EncoderModel")):
        return "encoder"
    if re.fullmatch(r"[A-Za-z0-9]+Model", name) and not encoder_decoder:
        return "encoder"
    raise Problem(
        "model_broken",
        f"{where} is of the class {name or '(none)'}, which is not supported",
        hint="Models for chat (…ForCausalLM), encoders (…Model), classifiers "
        "(…ForSequenceClassification) and encoder-decoders (…ForConditionalGeneration) are.",
    )


def context_of(
    kind: ModelKind,
    config: Mapping[str, Any],
    tokenizer: Mapping[str, Any],
    sentences: Mapping[str, Any],
) -> int:
    """Most tokens of a sequence, as the runtime will see it, from config.json,
    tokenizer_config.json and sentence_bert_config.json."""
    stated = next((n for key in POSITIONS if isinstance(n := config.get(key), int)), 0)
    if config.get("model_type") in OFFSET:
        stated -= 1 + (config.get("pad_token_id") or 1)
    limit = tokenizer.get("model_max_length")
    if stated <= 0:
        known = isinstance(limit, (int, float)) and 0 < limit < _LONGEST
        stated = int(limit) if known and limit is not None else _UNSTATED
    trained = sentences.get("max_seq_length")
    if kind == "encoder" and isinstance(trained, int) and trained > 0:
        return min(stated, trained)
    return stated


def refuse_code(config: object, where: Path) -> None:
    """Raises Problem where a configuration asks, at any depth, to run code of the model's own."""
    if isinstance(config, dict):
        if asked := _CODE_KEYS & config.keys():
            raise Problem(
                "model_broken",
                f"{where} asks to run code that the model brings along ({min(asked)})",
                hint="Such code is never run; choose a model of a family that transformers has.",
            )
        for value in config.values():
            refuse_code(value, where)
    elif isinstance(config, list):
        for value in config:
            refuse_code(value, where)


def _embeds_sentences(folder: Path) -> bool:
    if not (folder / "modules.json").is_file():
        return (folder / "1_Pooling" / "config.json").is_file()
    modules = _read_any(folder / "modules.json")
    types = [str(module.get("type")) for module in modules] if isinstance(modules, list) else []
    for module in types:
        if module.rpartition(".")[2] not in _PLAIN_MODULES:
            raise Problem(
                "model_broken",
                f"{folder / 'modules.json'} names a layer that is not supported: {module}",
                hint="Sentence embeddings of a transformer with a pooling are supported.",
            )
    return True


def _check_weights(path: Path) -> None:
    try:
        weights.read_header(path)
    except ValueError as error:
        raise Problem(
            "model_broken", f"{path} {error}", hint="Fetch the file anew from its source."
        ) from error


def _check_shards(folder: Path, chosen: list[str]) -> None:
    """Every shard that the index names is there."""
    index = folder / "model.safetensors.index.json"
    if "model.safetensors" in chosen or not index.is_file():
        return
    named = _read(index).get("weight_map")
    for shard in sorted(set(named.values())) if isinstance(named, dict) else []:
        if shard not in chosen:
            raise Problem(
                "model_broken",
                f"{folder} lacks {shard}, which its index names",
                hint="Fetch the file from the model's source.",
            )


def _read(path: Path) -> dict[str, Any]:
    value = _read_any(path)
    if not isinstance(value, dict):
        raise Problem("model_broken", f"{path} is not a JSON object")
    return value


def _read_any(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise Problem(
            "model_broken",
            f"{path} is not valid JSON: {error}",
            hint="Fetch the file anew from its source.",
        ) from error


def _optional(path: Path) -> dict[str, Any]:
    return _read(path) if path.is_file() else {}
