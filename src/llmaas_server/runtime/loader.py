"""From a folder on this machine to a resident model.

Local files only, safetensors only, and never code from a model's folder.
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
import transformers
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.models.generation import FILE_NAME as GENERATION
from llmaas_server.models.generation import read_json
from llmaas_server.seam.values import ModelKind, ModelRef, WorkerOptions

from . import traits
from .checkpoint import bytes_of, read_weights, weight_files
from .device import device_of, dtype_of
from .faults import first_line, is_of_memory
from .grammar import Grammar, Grammars
from .pooling import read_pooling
from .request import Sampling
from .tokenizer import TextTokenizer, read_tokenizer

_CLASSES: dict[ModelKind, Any] = {
    "decoder": transformers.AutoModelForCausalLM,
    "encoder": transformers.AutoModel,
    "classifier": transformers.AutoModelForSequenceClassification,
    "seq2seq": transformers.AutoModelForSeq2SeqLM,
}


# While it builds a module, transformers swaps functions and defaults of torch for the whole
# process, and puts back what it found: two threads would find each other's.
_BUILDING = threading.Lock()


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class LoadedModel:
    """Implements `interface.Model`; lanes use the rest, too.

    Equal to itself alone; tasks may keep things for as long as it lives.
    """

    ref: ModelRef
    config: Any
    """transformers' configuration of the model."""
    tokenizer: TextTokenizer
    context: int
    max_completion: int
    stop_ids: frozenset[int]
    labels: tuple[str, ...]
    multi_label: bool
    attention_heads: tuple[int, int] | None
    sampling: Sampling
    source_prefix: str
    pooling: tuple[str, ...]
    """How an encoder's vectors become one; see `pooling.pool`."""
    module: Any
    """The transformers model, in evaluation mode; for generation with its generation_config.
    None where kernels of our own compute."""
    device: torch.device
    dtype: torch.dtype
    bytes: int
    """Of its weights and buffers in memory."""
    grammars: Grammars

    def grammar(self, text: str) -> Grammar:
        return self.grammars.compile(text)


def load(ref: ModelRef, options: WorkerOptions, progress: Callable[[float], None]) -> LoadedModel:
    """Read the model; `progress` is told the share of its bytes read, 0 to 1.

    Runs in a thread beside the step loop. Raises Problem `model_broken`, `model_has_no_head`,
    `out_of_memory`.
    """
    model = describe(ref, options)
    folder = Path(ref.path)
    try:
        weights = read_weights(weight_files(folder), model.dtype, progress)
        module = _build(ref, model.config, weights, model.dtype).to(model.device)
    except Exception as error:
        if is_of_memory(error):
            raise _out_of_memory(ref) from error
        raise
    if module.can_generate():
        module.generation_config = _generation_config(folder)
    return replace(model, config=module.config, module=module, bytes=bytes_of(module))


def takes_types(model: LoadedModel) -> bool:
    """Whether its module tells the two texts of a pair apart by token types."""
    accepted = inspect.signature(model.module.forward).parameters
    return "token_type_ids" in accepted and getattr(model.config, "type_vocab_size", 2) > 1


def describe(ref: ModelRef, options: WorkerOptions) -> LoadedModel:
    """All of the model but its weights: `module` is None. Raises Problem `model_broken`."""
    _quiet()
    folder = Path(ref.path)
    device = device_of(options)
    config = _read_config(folder)
    tokenizer = read_tokenizer(folder)
    generation = read_json(folder / GENERATION)
    context = traits.context_of(ref, config, tokenizer)
    stop_ids = traits.stop_ids_of(config, tokenizer, generation)
    return LoadedModel(
        ref=ref,
        config=config,
        tokenizer=tokenizer,
        context=context,
        max_completion=traits.max_completion_of(ref, config, context),
        stop_ids=stop_ids,
        labels=traits.labels_of(ref, config),
        multi_label=getattr(config, "problem_type", None) == "multi_label_classification",
        attention_heads=traits.attention_heads_of(ref, config),
        sampling=traits.sampling_of(ref, generation),
        source_prefix=traits.source_prefix_of(ref, config),
        pooling=read_pooling(folder) if ref.kind == "encoder" else (),
        module=None,
        device=device,
        dtype=dtype_of(options, device),
        bytes=0,
        grammars=Grammars(tokenizer.definition, stop_ids),
    )


def _quiet() -> None:
    """transformers reports on the terminal what is told here by progress and errors."""
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def _read_config(folder: Path) -> Any:
    if not (folder / "config.json").is_file():
        raise Problem("model_broken", f"{folder} has no config.json")
    stated = read_json(folder / "config.json")
    if quantized := stated.get("quantization_config"):
        method = quantized.get("quant_method") if isinstance(quantized, dict) else quantized
        raise Problem(
            "model_broken",
            f"the weights in {folder} are quantized by {method!r}, which is not read",
            hint="Pull the model's unquantized safetensors, or a GGUF of it.",
        )
    try:
        return transformers.AutoConfig.from_pretrained(
            folder, local_files_only=True, trust_remote_code=False
        )
    except Exception as error:  # transformers may raise anything of a broken or foreign config
        raise Problem(
            "model_broken",
            f"{folder / 'config.json'} cannot be read: {first_line(error)}",
            hint="Only architectures of transformers itself are run, never code of a model.",
        ) from error


def _build(ref: ModelRef, config: Any, weights: dict[str, Tensor], dtype: torch.dtype) -> Any:
    """The module with these weights. Consumes `weights`: on the CPU they are not copied."""
    try:
        with _BUILDING:
            with torch.device("meta"):
                empty = _CLASSES[ref.kind].from_config(config, dtype=dtype, trust_remote_code=False)
            module, found = type(empty).from_pretrained(
                None,
                config=config,
                state_dict=weights,
                dtype=dtype,
                local_files_only=True,
                use_safetensors=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
    except Exception as error:  # of a config that does not fit the class, or the weights
        if is_of_memory(error):
            raise
        raise Problem(
            "model_broken",
            f"{ref.path} cannot be loaded as a {ref.kind}: {first_line(error)}",
            hint="Check that the model is of the kind that its entry names.",
        ) from error
    weights.clear()
    _check(ref, module.base_model_prefix, found)
    module.requires_grad_(False)
    return module


def _check(ref: ModelRef, base: str, found: dict[str, Any]) -> None:
    """Whether every weight came from the file: transformers fills gaps with random numbers."""
    missing = {name for name in found["missing_keys"] if not _is_unused(ref.kind, name)}
    if not missing:
        return
    in_body = {name for name in missing if name.startswith(f"{base}.") and ".pooler." not in name}
    if ref.kind == "classifier" and not in_body:
        raise Problem(
            "model_has_no_head",
            f"the weights of {ref.name!r} have no trained classification head: "
            f"{_some(missing)} are not among them",
        )
    raise Problem(
        "model_broken",
        f"the weights in {ref.path} are not whole: {_some(missing)} are not among them",
        hint="Pull the model again, or check that it is of the kind that its entry names.",
    )


def _is_unused(kind: ModelKind, name: str) -> bool:
    """The pooler of an encoder: it feeds a head, and embeddings are pooled from its input."""
    return kind == "encoder" and name.startswith("pooler.")


def _generation_config(folder: Path) -> Any:
    """Of its own file, or as older models have it, of config.json."""
    try:
        return transformers.GenerationConfig.from_pretrained(
            folder,
            config_file_name=GENERATION if (folder / GENERATION).exists() else "config.json",
            local_files_only=True,
        )
    except Exception as error:  # of values that are not what their names mean
        raise Problem(
            "model_broken", f"the generation config in {folder} is wrong: {first_line(error)}"
        ) from error


def _out_of_memory(ref: ModelRef) -> Problem:
    return Problem(
        "out_of_memory",
        f"there is not enough memory to load {ref.name!r}",
        hint="Unload another model, or choose a smaller one.",
    )


def _some(names: Iterable[str]) -> str:
    first, *others = sorted(names)
    shown = ", ".join([first, *others[:3]])
    return shown + (f" and {len(others) - 3} more" if len(others) > 3 else "")
