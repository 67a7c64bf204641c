"""Words without their endings, so that `plans`, `planned` and `planning` are one."""

from __future__ import annotations

from functools import lru_cache

_ENDINGS = ("ment", "ing", "ion", "ly", "ed")
_SHORTEST = 3


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """Not a word: only for comparing."""
    if word.endswith(("ies", "ied")) and len(word) > 4:
        return word[:-3]
    if word.endswith(("ses", "xes", "zes", "ches", "shes")):
        word = word[:-2]
    elif word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        word = word[:-1]
    for ending in _ENDINGS:
        bare = word.removesuffix(ending)
        if bare != word and len(bare) >= _SHORTEST:
            if ending in ("ing", "ed") and bare[-1] == bare[-2] and bare[-1] not in "lsz":
                bare = bare[:-1]  # planned
            word = bare
            break
    return word[:-1] if len(word) > _SHORTEST and word[-1] in "ey" else word
