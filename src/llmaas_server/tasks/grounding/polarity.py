"""What a text affirms and what it denies: words right after a negation."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmaas_server.tasks.text.content import empty_words
from llmaas_server.tasks.text.stems import stem


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_TOKEN = re.compile(r"[^\W_]+(?:['’][^\W_]+)*|[,;:.!?()]")
_NEGATION = re.compile(
    r"not|never|no|nor|neither|none|nobody|nothing|without|cannot|hardly|barely|unable|"
    r"(?:avoid|fail|lack|refus|prevent|den(?:y|i))(?:e?s|e?d|ing|e)?|[a-z]+n['’]t"
)
# Words between a negation and what it denies: does not even want.
_PASSED = _set("""
    just yet even ever any been being have has had to
""")
_SPACELESS_NEGATION = re.compile(
    r"(?:没有|沒有|不是|不会|不會|不能|不再|并不|並不|从未|從未|并未|未能|并非|[不没沒未无無非])"
    r"([\u4e00-\u9fff]{1,2})"
)


def contradicted(sentence: str, spans: Sequence[str]) -> str | None:
    """A word that `sentence` denies and `spans` only affirm, or the other way round."""
    source = "\n".join(spans)
    affirmed, denied = _sides(sentence)
    held, refused = _sides(source)
    for word in (denied - affirmed) & (held - refused) | (affirmed - denied) & (refused - held):
        return word
    for word in _spaceless(sentence) ^ _spaceless(source):
        if word in sentence and word in source:
            return word
    return None


def _sides(text: str) -> tuple[set[str], set[str]]:
    """Stems of content words: those that stand without a negation, those that stand after one."""
    affirmed: set[str] = set()
    denied: set[str] = set()
    negated = False
    for match in _TOKEN.finditer(text.lower()):
        word = match.group()
        if not word[0].isalnum() or (negated and word == "only"):
            negated = False
        elif _NEGATION.fullmatch(word):
            negated = True
        elif word in empty_words() or word in _PASSED:
            continue
        else:
            (denied if negated else affirmed).add(stem(word))
            negated = False
    return affirmed, denied


def _spaceless(text: str) -> set[str]:
    """Characters that follow a negation everywhere where they stand."""
    found = [match.group(1) for match in _SPACELESS_NEGATION.finditer(text)]
    return {word for word in found if text.count(word) == found.count(word)}
