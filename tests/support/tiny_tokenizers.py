"""Tokenizers of every common kind, built from a few sentences without a trainer's random order."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import transformers
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
)

SENTENCES = (
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "I love Python. I hate waiting. This film was great; that one was terrible!",
    "Language models read tokens and write tokens, one at a time.",
    "user assistant system: You are a helpful assistant. What is 2 + 2? It is 4.",
    "今天天气很好。我喜欢学习语言模型！你好，世界？",
    "Emoji 😀 and accents: café, naïve, Zürich.",
)

CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def byte_level(special: Sequence[str] = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")) -> Any:
    """BPE over bytes: any text has tokens, and a character may be spread over several."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocab, merges = _bpe([*special, *alphabet], _words(split, SENTENCES))
    backend = Tokenizer(models.BPE(vocab, merges))
    backend.pre_tokenizer = split
    backend.decoder = decoders.ByteLevel()
    backend.add_special_tokens(list(special))
    return backend


def byte_fallback(special: Sequence[str] = ("<unk>", "<s>", "</s>")) -> Any:
    """BPE as of sentencepiece: "▁" for spaces, <0x..> for bytes of unknown characters."""
    words = _words(pre_tokenizers.Metaspace(), (s for s in SENTENCES if s.isascii()))
    pieces = [f"<0x{byte:02X}>" for byte in range(256)] + ["▁", *map(chr, range(33, 127))]
    vocab, merges = _bpe([*special, *pieces], words)
    backend = Tokenizer(
        models.BPE(vocab, merges, unk_token=special[0], byte_fallback=True, fuse_unk=True)
    )
    backend.normalizer = normalizers.Sequence(
        [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
    )
    backend.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    backend.add_special_tokens(list(special))
    return backend


def _words(split: Any, sentences: Iterable[str]) -> list[str]:
    """The words of the sentences, sorted: vocabularies without a trainer's random order."""
    return sorted({word for sentence in sentences for word, _ in split.pre_tokenize_str(sentence)})


def _bpe(base: list[str], words: Iterable[str]) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary that merges each word from its left, so that its beginnings are tokens too."""
    merges = dict.fromkeys((word[:end], word[end]) for word in words for end in range(1, len(word)))
    tokens = dict.fromkeys([*base, *(left + right for left, right in merges)])
    return {token: i for i, token in enumerate(tokens)}, list(merges)


def chat_tokenizer(backend: Any) -> Any:
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<|endoftext|>",
        eos_token="<|im_end|>",
        pad_token="<|endoftext|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHATML,
        model_max_length=2048,
    )


def bert_tokenizer() -> Any:
    """WordPiece, lower case, [CLS] and [SEP] around one text or two."""
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    split = pre_tokenizers.BertPreTokenizer()
    letters = [chr(code) for code in range(33, 127) if not chr(code).isupper()]
    words = _words(split, map(str.lower, SENTENCES))
    other = sorted({letter for letter in "".join(words) if not letter.isascii()})
    pieces = [*special, *letters, *other, *(f"##{letter}" for letter in letters), *words]
    vocab = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    backend = word_pieces(vocab)
    backend.add_special_tokens(special)
    backend.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(token, special.index(token)) for token in ("[CLS]", "[SEP]")],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        unk_token="[UNK]",
        pad_token="[PAD]",
        cls_token="[CLS]",
        sep_token="[SEP]",
        mask_token="[MASK]",
        model_max_length=512,
        model_input_names=["input_ids", "token_type_ids", "attention_mask"],
    )


def word_pieces(vocab: dict[str, int]) -> Any:
    """Lower case, and the longest pieces from the left; [UNK] for a word that has none."""
    backend = Tokenizer(models.WordPiece(vocab, unk_token="[UNK]"))
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece()
    return backend


def bart_tokenizer() -> Any:
    special = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    backend = byte_level(special)
    backend.post_processor = processors.RobertaProcessing(
        ("</s>", special.index("</s>")), ("<s>", special.index("<s>")), add_prefix_space=False
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
        model_max_length=1024,
    )


def t5_tokenizer() -> Any:
    """Unigram with "▁" for spaces and </s> at the end, as T5 has it."""
    special = ["<pad>", "</s>", "<unk>"]
    split = pre_tokenizers.Metaspace()
    words = _words(split, SENTENCES)
    pieces = dict.fromkeys([*special, "▁", *sorted(set("".join(words))), *words])
    scores = [(piece, 0.0 if piece in special else -4.0 - 1 / len(piece)) for piece in pieces]
    backend = Tokenizer(models.Unigram(scores, unk_id=special.index("<unk>")))
    backend.pre_tokenizer = split
    backend.decoder = decoders.Metaspace()
    backend.add_special_tokens(special)
    backend.post_processor = processors.TemplateProcessing(
        single="$A </s>",
        pair="$A </s> $B </s>",
        special_tokens=[("</s>", special.index("</s>"))],
    )
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=backend,
        eos_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        model_max_length=512,
    )
