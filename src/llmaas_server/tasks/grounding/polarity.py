"""What a text affirms and what it denies: words after a negation, words and their opposites."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmaas_server.tasks.text.content import content_words, empty_words
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


def _opposites(table: str) -> list[tuple[set[str], set[str]]]:
    """A line has two sides, with a bar between them."""
    sides = [line.split("|") for line in table.strip().splitlines()]
    return [(set(one.split()), set(other.split())) for one, other in sides]


# Words on one side are never said of what those on the other are said of.
_OPPOSITES = _opposites("""
    earlier sooner | later
    before | after
    more | less fewer
    most | least fewest
    higher | lower
    high | low
    larger bigger greater | smaller
    longer | shorter
    faster quicker | slower
    better | worse
    best | worst
    older | younger newer
    above over | below under
    increase increased increases increasing | decrease decreased decreases decreasing
    rise rises rose risen rising | fall falls fell fallen falling drop dropped drops
    gain gained gains | lose lost loses
    win wins won | lose lost loses
    open opens opened opening | close closes closed closing
    start starts started begin begins began | end ends ended stop stops stopped
    accept accepts accepted | reject rejects rejected refuse refused
    allow allows allowed permit permitted | forbid forbids forbidden ban banned prohibit prohibited
    agree agrees agreed | disagree disagrees disagreed
    succeed succeeds succeeded | fail fails failed
    buy buys bought | sell sells sold
    north northern | south southern
    east eastern | west western
    left | right
    possible | impossible
    able | unable
    safe | unsafe dangerous
    alive | dead
    true | false
    positive | negative
    male | female
    minimum | maximum
    增加 上升 上涨 提高 | 减少 下降 下跌 降低
    开放 | 关闭
    同意 | 反对
    之前 | 之后
    成功 | 失败
    更多 | 更少
    高于 | 低于
    最大 最高 | 最小 最低
""")


def contradicted(sentence: str, spans: Sequence[str]) -> str | None:
    """A word that `sentence` denies and `spans` only affirm, or the other way round."""
    source = "\n".join(spans)
    affirmed, denied = _sides(sentence)
    held, refused = _sides(source)
    for word in (denied - affirmed) & (held - refused) | (affirmed - denied) & (refused - held):
        return word
    if denied and not any(_NEGATION.fullmatch(word) for word in _words(source)):
        return min(denied)
    ours, theirs = _words(sentence), _words(source)
    for one, other in _OPPOSITES:
        for said, meant in ((one, other), (other, one)):
            if said & ours and not meant & ours and meant & theirs and not said & theirs:
                return min(said & ours)
    for word in _spaceless(sentence) ^ _spaceless(source):
        if word in sentence and word in source:
            return word
    return None


def _words(text: str) -> set[str]:
    """Those of the text, and its neighbours where it has no spaces."""
    return {match.group() for match in _TOKEN.finditer(text.lower())} | set(content_words(text))


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
