"""Terms by which texts are sorted into subgroups, and which texts name which."""

from __future__ import annotations

import re
from collections.abc import Sequence

from llmaas_client.errors import ConfigurationError

from .swapping import bordered

_DIXON = """
    lesbian, gay, bisexual, transgender, trans, queer, lgbt, lgbtq, homosexual, straight,
    heterosexual, male, female, nonbinary, african, african american, black, white, european,
    hispanic, latino, latina, latinx, mexican, canadian, american, asian, indian, middle eastern,
    chinese, japanese, christian, muslim, jewish, buddhist, catholic, protestant, sikh, taoist,
    old, older, young, younger, teenage, millenial, middle aged, elderly, blind, deaf, paralyzed
"""
TERMS = tuple(term.strip() for term in _DIXON.split(","))
"""The identity terms of Dixon et al. (2018), as they are spelled in their templates."""


class Terms:
    """Finds terms in texts, at the borders of words and in any case."""

    def __init__(self, terms: Sequence[str]) -> None:
        self.names = tuple(dict.fromkeys(" ".join(term.lower().split()) for term in terms))
        if not all(self.names):
            raise ConfigurationError("a term is empty", hint="Leave it out.")
        # The longest first: `african american` is not counted as `american`, too.
        ordered = sorted(self.names, key=lambda name: -len(name))
        pattern = "|".join(bordered(name) for name in ordered)
        self._pattern = re.compile(pattern, re.IGNORECASE) if ordered else None

    def named(self, text: str) -> set[str]:
        if self._pattern is None:
            return set()
        return {
            " ".join(re.split(r"[\s-]+", one[0])).lower() for one in self._pattern.finditer(text)
        }
