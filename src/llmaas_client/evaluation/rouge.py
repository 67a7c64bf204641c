"""ROUGE by the package rouge-score, as papers report it: stemmed, summary-level ROUGE-L."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from llmaas_client.errors import ConfigurationError

from .passages import sentences

_KINDS = ("rouge1", "rouge2", "rougeLsum")
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff])")


@dataclass(frozen=True, slots=True)
class Scores:
    """F-measures, from 0 to 1."""

    rouge1: float
    rouge2: float
    rouge_lsum: float


class Rouge:
    """Scores summaries. Raises ConfigurationError where rouge-score is not installed."""

    def __init__(self) -> None:
        try:
            scorer: Any = import_module("rouge_score.rouge_scorer")
            tokenizers: Any = import_module("rouge_score.tokenizers")
        except ModuleNotFoundError:
            raise ConfigurationError(
                "summaries are compared by rouge-score, which is not installed",
                hint="pip install 'llmaas[bench]', or pip install rouge-score",
            ) from None
        self._tokenizer = _Tokenizer(tokenizers.DefaultTokenizer(use_stemmer=True))
        self._scorer = scorer.RougeScorer(list(_KINDS), tokenizer=self._tokenizer)

    def can_read(self, text: str) -> bool:
        """Whether there is anything in the text that ROUGE counts."""
        return bool(self._tokenizer.tokenize(text))

    def scores(self, summary: Sequence[str], references: Sequence[str]) -> Scores:
        """Of a summary's sentences. Of several references the best counts, for each measure."""
        text = "\n".join(summary)
        found = [self._scorer.score(_by_sentence(one), text) for one in references]
        return Scores(*(max(one[kind].fmeasure for one in found) for kind in _KINDS))


class _Tokenizer:
    """rouge-score's own tokens, which are of a-z and digits alone; where a text is Chinese or
    Japanese, each of its characters is one more."""

    def __init__(self, default: Any) -> None:
        self._default = default

    def tokenize(self, text: str) -> list[str]:
        tokens: list[str] = []
        for piece in _UNSPACED.split(text):
            if _UNSPACED.fullmatch(piece):
                tokens.append(piece)
            elif piece:
                tokens += self._default.tokenize(piece)
        return tokens


def _by_sentence(text: str) -> str:
    return "\n".join(one.text for one in sentences(text))
