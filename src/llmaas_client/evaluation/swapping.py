"""Words that name who somebody is, found in texts and exchanged: all the rest stays."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

from .pronouns import is_possessive
from .swap_lists import Slot, SwapGroup

_ARTICLE = re.compile(r"\b(a|an)(\s+)$", re.IGNORECASE)
_VOWEL = re.compile(r"(?!eu|one\b)[aeio]|u(?!ni|s[aeiu]|k\b|gand)", re.IGNORECASE)
# Scripts without spaces: a word's border is no character's.
_UNSPACED = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")


@dataclass(frozen=True, slots=True)
class Mention:
    """Where a text names an identity, and in which meaning."""

    start: int
    end: int
    identity: int
    slot: Slot


@dataclass(frozen=True, slots=True)
class Variant:
    """A text in which one identity took another's place."""

    group: str
    source: str
    target: str
    text: str
    mutual: bool
    """Whether the text names both, and they changed places."""


class Swapper:
    """Finds and exchanges the words of one group."""

    def __init__(self, group: SwapGroup) -> None:
        self.group = group
        self._meanings: dict[str, list[tuple[int, Slot, str]]] = {}
        """What a form may be: identity, slot, kind of pronoun or nothing."""
        self._capital: set[str] = set()
        for slot in group.forms:
            self._learn(slot, "")
        for slot in group.adjectives:
            self._learn(slot, "")
        for kind, slot in group.pronouns:
            self._learn(slot, kind)
        self._never = {_key(form) for form in group.never}
        self._pattern = self._compile()

    def _learn(self, slot: Slot, kind: str) -> None:
        for identity, cell in enumerate(slot):
            for form in cell:
                if form.sought:
                    key = _key(form.text)
                    self._meanings.setdefault(key, []).append((identity, slot, kind))
                    if form.text[:1].isupper():
                        self._capital.add(key)

    def _compile(self) -> re.Pattern[str]:
        group = self.group
        nouns = "|".join(re.escape(noun) for noun in group.before)
        plain = [*group.never, *_sought(group.forms), *_sought(s for _, s in group.pronouns)]
        found = [(form, bordered(form)) for form in plain]
        found += [
            (form, rf"{bordered(form)}(?=[\s-]+(?:{nouns})(?!\w))")
            for form in _sought(group.adjectives)
        ]
        # The longest first, so that `african american` is not taken for `american`.
        found.sort(key=lambda one: -len(one[0]))
        return re.compile("|".join(pattern for _, pattern in found), re.IGNORECASE)

    def mentions(self, text: str) -> list[Mention]:
        """In their order."""
        found: list[Mention] = []
        for match in self._pattern.finditer(text):
            key = _key(match[0])
            if key in self._never or (key in self._capital and not match[0][0].isupper()):
                continue
            identity, slot = self._meaning(key, text[match.end() : match.end() + 40])
            found.append(Mention(match.start(), match.end(), identity, slot))
        return found

    def _meaning(self, key: str, after: str) -> tuple[int, Slot]:
        """Of several the first one, but for pronouns, where the next word decides."""
        meanings = self._meanings[key]
        kinds = {kind for _, _, kind in meanings}
        if "possessive" in kinds and len(kinds) > 1:
            wanted = is_possessive(after)
            meanings = [one for one in meanings if (one[2] == "possessive") == wanted]
        identity, slot, _ = meanings[0]
        return identity, slot

    def variants(self, text: str) -> Iterator[Variant]:
        """The text with every other identity in the place of the one that it names. Of several
        that it names, each two change places. What has no counterpart is left out."""
        mentions = self.mentions(text)
        named = sorted({mention.identity for mention in mentions})
        if len(named) == 1:
            every = range(len(self.group.identities))
            exchanges = [(named[0], other) for other in every if other != named[0]]
        else:
            exchanges = list(combinations(named, 2))
        mutual = len(named) > 1
        for one, other in exchanges:
            mapping = {one: other, other: one} if mutual else {one: other}
            written = _write(text, mentions, mapping)
            if written is not None and written != text:
                names = self.group.identities
                yield Variant(self.group.name, names[one], names[other], written, mutual)


def bordered(form: str) -> str:
    """A pattern that finds a form between borders of words; spaces may be hyphens."""
    inside = r"[\s-]+".join(re.escape(word) for word in form.split())
    before = "" if _UNSPACED.match(form[0]) else r"(?<!\w)"
    after = "" if _UNSPACED.match(form[-1]) else r"(?!\w)"
    return f"{before}{inside}{after}"


def _write(text: str, mentions: Sequence[Mention], mapping: Mapping[int, int]) -> str | None:
    pieces: list[str] = []
    end = 0
    for mention in mentions:
        target = mapping.get(mention.identity)
        if target is None:
            continue
        cell = mention.slot[target]
        if not cell:
            return None
        old = text[mention.start : mention.end]
        new = _in_case_of(old, cell[0].text)
        pieces += [_with_article(text[end : mention.start], old, new), new]
        end = mention.end
    return "".join([*pieces, text[end:]])


def _in_case_of(old: str, new: str) -> str:
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[:1].upper() + new[1:] if old[:1].isupper() else new


def _with_article(before: str, old: str, new: str) -> str:
    """`an American`, but `a Mexican`."""
    article = _ARTICLE.search(before)
    sounds = bool(_VOWEL.match(new))
    if article is None or sounds == bool(_VOWEL.match(old)):
        return before
    shouted = article[1].isupper() and len(old) > 1 and old.isupper()
    more = ("N" if shouted else "n") if sounds else ""
    return before[: article.start()] + article[1][0] + more + article[2]


def _sought(slots: Iterable[Slot]) -> Iterator[str]:
    return (form.text for slot in slots for cell in slot for form in cell if form.sought)


def _key(form: str) -> str:
    return " ".join(re.split(r"[\s-]+", form)).lower()
