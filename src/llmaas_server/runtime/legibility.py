"""How much of a text a tokenizer has words for, and how much it can only spell.

A model that was trained on English still gets tokens for Chinese: the unknown token, the single
bytes of its characters, or the few characters that its vocabulary happens to have. It has learned
next to nothing about any of them.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from functools import cached_property, lru_cache
from typing import Any

from .detokenizer import byte_level
from .request import Reading

PIECES_OF_A_SCRIPT = 512
"""Of a script that it can read a vocabulary has more pieces: `bert-base-uncased` has 244 Chinese
characters and 50 Cyrillic letters, multilingual vocabularies thousands of each."""

LETTERS_OF_A_TOKEN = 4
"""In English; an unknown token may stand for a whole line of a script without spaces."""

_BYTE = re.compile(r"<0x[89A-F][0-9A-F]>")
_MARKS = re.compile(r"^##|^▁+|</w>$")


class Legibility:
    """Of one tokenizer; for any number of threads."""

    def __init__(self, backend: Any, state: dict[str, Any]) -> None:
        """`backend` is of the `tokenizers` library, and `state` its definition."""
        self._backend = backend
        self._unknown = _unknown_id(backend, state["model"])
        parts = (state.get("decoder"), state.get("pre_tokenizer"))
        self._bytes = any("'ByteLevel'" in repr(part) for part in parts)
        self._longest = self._longest_word_of(state["model"])
        self._judged: dict[int, bool | None] = {}

    def read(self, text: str) -> Reading:
        """Tokens with letters in them, and how many of those say nothing to the model.

        Where there are no letters at all, such as of emoji alone, all tokens count. Of a text
        whose characters alone say that all of it is read nothing is counted: that is most of
        them, and each was tokenized once already.
        """
        if self._is_plain(text):
            return Reading(0, 0)
        encoding = self._backend.encode(text, add_special_tokens=False)
        ids: list[int] = encoding.ids
        if text.isascii() and self._unknown not in ids:
            return Reading(len(ids), 0)
        weights = [_letters(text[start:end]) for start, end in encoding.offsets]
        if not any(weights):
            weights = [1] * len(ids)
        tokens = unread = 0
        for token_id, letters in zip(ids, weights, strict=True):
            if not letters:
                continue
            if token_id == self._unknown:
                weight = max(1, letters // LETTERS_OF_A_TOKEN)
                tokens += weight
                unread += weight
            elif (is_unread := self._is_unread(token_id)) is not None:
                tokens += 1
                unread += is_unread
        return Reading(tokens, unread)

    def _is_plain(self, text: str) -> bool:
        """Whether no token of it can be unread, whatever it says."""
        if not text.isascii() or self._longest is None:
            return False
        return len(text) <= self._longest or max(map(len, text.split()), default=0) <= self._longest

    def _longest_word_of(self, model: dict[str, Any]) -> int | None:
        """The longest word of ASCII that always has tokens; None where none is known to have."""
        if self._bytes and self._unknown is None:
            return sys.maxsize
        if model.get("type") != "WordPiece":
            return None
        vocabulary, prefix = self._backend.get_vocab(), model["continuing_subword_prefix"]
        normal = self._backend.normalizer
        for character in filter(str.isprintable, map(chr, range(128))):
            piece = character if normal is None else normal.normalize_str(character)
            is_there = piece in vocabulary and (not piece.isalnum() or prefix + piece in vocabulary)
            if piece.strip() and not is_there:
                return None
        longest: int = model["max_input_chars_per_word"]
        return longest

    def _is_unread(self, token_id: int) -> bool | None:
        if token_id not in self._judged:
            self._judged[token_id] = self._judge(self._backend.id_to_token(token_id))
        return self._judged[token_id]

    def _judge(self, piece: str) -> bool | None:
        """None for a piece that only says where a word begins."""
        text = self._text(piece)
        if text is None:
            return True
        if not text:
            return None
        script = _script_of(text)
        return script is not None and self._pieces[script] < PIECES_OF_A_SCRIPT

    def _text(self, piece: str) -> str | None:
        """What a piece stands for; None for a part of a character."""
        if self._bytes:
            try:
                return byte_level(piece).decode()
            except UnicodeDecodeError:
                return None
        return None if _BYTE.fullmatch(piece) else _MARKS.sub("", piece)

    @cached_property
    def _pieces(self) -> Counter[str]:
        """How many different pieces the vocabulary has, by script. Takes a moment: for those who
        meet a script that is not Latin."""
        texts = {self._text(piece) for piece in self._backend.get_vocab()}
        scripts = (_script_of(text) for text in texts if text is not None)
        return Counter(script for script in scripts if script is not None)


def _unknown_id(backend: Any, model: dict[str, Any]) -> int | None:
    unknown: int | None = model.get("unk_id")
    if unknown is None and model.get("unk_token") is not None:
        unknown = backend.token_to_id(model["unk_token"])
    return unknown


def _letters(text: str) -> int:
    return sum(map(str.isalpha, text))


def _script_of(text: str) -> str | None:
    """The script of the first letter that is not Latin; None where there is none.

    The first word of a character's name tells: CYRILLIC, CJK, HIRAGANA, ARABIC.
    """
    if text.isascii():
        return None
    scripts = (_script(character) for character in text.strip() if character.isalpha())
    return next((script for script in scripts if script not in _READ_BY_ALL), None)


_READ_BY_ALL = frozenset(("LATIN", "MODIFIER", "FEMININE", "MASCULINE", "MICRO", "MATHEMATICAL"))


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    script = unicodedata.name(character, "UNNAMED").partition(" ")[0]
    return script.partition("-")[0]  # KATAKANA-HIRAGANA is the mark of long vowels
