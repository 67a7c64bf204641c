"""tokenizer.json and tokenizer_config.json from the vocabulary of a GGUF file.

Byte-level BPE alone (GGUF calls it `gpt2`). How text is split before the merges is not in the file;
it names a scheme (`tokenizer.ggml.pre`), and only schemes that are known for certain are converted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

from .config import Fields, Unsupported
from .header import GGUF, BrokenFile

_CONTROL, _USER_DEFINED = 3, 4  # of tokenizer.ggml.token_type

_WORDS = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)


@dataclass(frozen=True, slots=True)
class Scheme:
    """How a family's tokenizer splits text before BPE."""

    split: str | None = None
    """A regular expression for the pieces; None is GPT-2's own."""
    digits: bool = False
    """Whether every digit is a piece, before anything else."""
    nfc: bool = False
    ignore_merges: bool = False
    """Whether a piece that is in the vocabulary is taken whole."""
    add_bos: bool = False
    """Where the file does not say."""


SCHEMES = {
    "gpt-2": Scheme(),
    "smollm": Scheme(digits=True),
    "qwen2": Scheme(split=_WORDS % r"\p{N}", nfc=True),
    "llama-bpe": Scheme(split=_WORDS % r"\p{N}{1,3}", ignore_merges=True, add_bos=True),
}


def build(gguf: GGUF) -> Tokenizer:
    """Raises Unsupported for other kinds of tokenizers, BrokenFile for a damaged vocabulary."""
    fields = Fields(gguf.fields)
    scheme = _scheme(fields)
    tokens, types, merges = _vocabulary(gguf)
    tokenizer = Tokenizer(
        models.BPE(
            vocab={token: index for index, token in enumerate(tokens)},
            merges=merges,
            ignore_merges=scheme.ignore_merges,
        )
    )
    if scheme.nfc:
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _pre_tokenizer(scheme)
    tokenizer.decoder = decoders.ByteLevel()
    for kind, special in ((_CONTROL, True), (_USER_DEFINED, False)):
        added = [token for token, found in zip(tokens, types, strict=True) if found == kind]
        tokenizer.add_tokens(
            [AddedToken(token, special=special, normalized=False) for token in added]
        )
    if gguf.fields.get("tokenizer.ggml.add_bos_token", scheme.add_bos):
        tokenizer.post_processor = _begin_with(_token(fields, "bos", tokens), fields.id("bos"))
    return tokenizer


def tokenizer_config(gguf: GGUF, context: int) -> dict[str, Any]:
    """tokenizer_config.json, with the chat template that the file carries."""
    fields = Fields(gguf.fields)
    tokens = _vocabulary(gguf)[0]
    names = {"bos_token": "bos", "eos_token": "eos", "pad_token": "padding", "unk_token": "unknown"}
    config: dict[str, Any] = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": context,
        "clean_up_tokenization_spaces": False,
        **{name: _token(fields, key, tokens) for name, key in names.items()},
    }
    if isinstance(template := gguf.fields.get("tokenizer.chat_template"), str):
        config["chat_template"] = template
    return {name: value for name, value in config.items() if value is not None}


def _scheme(fields: Fields) -> Scheme:
    model = fields.text("tokenizer.ggml.model")
    if model != "gpt2":
        raise Unsupported(f"has a tokenizer of the kind {model}; byte-level BPE is converted")
    name = str(fields.values.get("tokenizer.ggml.pre"))
    if (scheme := SCHEMES.get(name)) is None:
        raise Unsupported(f"splits text in the way {name}; {', '.join(SCHEMES)} are known")
    return scheme


def _vocabulary(gguf: GGUF) -> tuple[list[str], list[int], list[tuple[str, str]]]:
    tokens = gguf.fields.get("tokenizer.ggml.tokens")
    types = gguf.fields.get("tokenizer.ggml.token_type")
    merges = gguf.fields.get("tokenizer.ggml.merges")
    for name, value, kind in (
        ("tokens", tokens, str),
        ("token_type", types, int),
        ("merges", merges, str),
    ):
        if not isinstance(value, list) or not all(isinstance(item, kind) for item in value):
            raise BrokenFile(f"has no tokenizer.ggml.{name}")
    assert tokens is not None
    assert types is not None
    assert merges is not None
    known = set(tokens)
    if len(types) != len(tokens) or len(known) != len(tokens):
        raise BrokenFile("has a vocabulary with tokens that are there twice or without a type")
    pairs = [_pair(merge, known) for merge in merges]
    return tokens, types, pairs


def _pair(merge: str, known: set[str]) -> tuple[str, str]:
    left, _, right = merge.partition(" ")
    if not {left, right, left + right} <= known:
        raise BrokenFile(f"has a merge of tokens that it has not: {merge!r}")
    return left, right


def _pre_tokenizer(scheme: Scheme) -> pre_tokenizers.PreTokenizer:
    steps: list[pre_tokenizers.PreTokenizer] = []
    if scheme.digits:
        steps.append(pre_tokenizers.Digits(individual_digits=True))
    if scheme.split is not None:
        steps.append(pre_tokenizers.Split(Regex(scheme.split), behavior="isolated"))
    steps.append(pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=scheme.split is None))
    return pre_tokenizers.Sequence(steps)


def _begin_with(token: str | None, token_id: int | None) -> processors.TemplateProcessing:
    if token is None or token_id is None:
        raise BrokenFile("begins texts with a token that it does not name")
    return processors.TemplateProcessing(
        single=f"{token} $A", pair=f"{token} $A {token} $B", special_tokens=[(token, token_id)]
    )


def _token(fields: Fields, key: str, tokens: Sequence[str]) -> str | None:
    token_id = fields.id(key)
    if token_id is not None and not 0 <= token_id < len(tokens):
        raise BrokenFile(f"names the {key} token {token_id}, and has {len(tokens)} tokens")
    return None if token_id is None else tokens[token_id]
