"""Names of a text: words with a capital that are no ordinary words, acronyms, codes with digits.

English and its like, where names have capitals; Chinese names are not told from words.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from llmaas_server.tasks.text.content import empty_words
from llmaas_server.tasks.text.words import SPACELESS


@dataclass(frozen=True, slots=True)
class Name:
    """A name as it is written, and its words one by one."""

    text: str
    words: tuple[str, ...]

    @property
    def lower(self) -> set[str]:
        return {word.lower() for word in self.words}


class Vocabulary:
    """The words of texts, for the question whether a name is among them."""

    def __init__(self, texts: Iterable[str]) -> None:
        tokens = [_bare(match.group()) for text in texts for match in _TOKEN.finditer(text)]
        self._texts = tokens
        self._lower = {token.lower() for token in tokens}
        self.uncapitalised = {token for token in tokens if token == token.lower()}
        """Words that stand in small letters somewhere."""

    def has(self, name: Name) -> bool:
        return all(self._has_word(word) for word in name.words) or self._has_initials(name)

    def _has_word(self, word: str) -> bool:
        lower = _MONTHS.get(word.lower(), word.lower())
        if lower in self._lower or any(form in self._lower for form in _forms(lower)):
            return True
        if _is_acronym(word) and self._spelt_out(lower.removesuffix("s")):
            return True
        if lower in _MONTHS.values():
            return any(short in self._lower for short, month in _MONTHS.items() if month == lower)
        return len(lower) >= 4 and lower in self._derived

    def _has_initials(self, name: Name) -> bool:
        """Whether an acronym stands for the name: UN for United Nations."""
        short = "".join(word[0] for word in name.words)
        return len(short) >= 2 and any(
            token == short for token in self._texts if len(token) == len(short)
        )

    def _spelt_out(self, acronym: str) -> bool:
        """Whether words in a row begin with its letters; for two letters, words that say much."""
        return acronym in self._initials[1] or (len(acronym) > 2 and acronym in self._initials[0])

    @cached_property
    def _initials(self) -> tuple[str, str]:
        """First letters of all words, and with a gap for those that say little."""
        letters = [token[:1].lower() for token in self._texts]
        empty = empty_words()
        gaps = (
            " " if token.lower() in empty else letter
            for token, letter in zip(self._texts, letters, strict=True)
        )
        return "".join(letters), "".join(gaps)

    @cached_property
    def _derived(self) -> set[str]:
        """Words with which those of the texts are made or that are made from them: America and
        American."""
        return {form for token in self._lower for form in _forms(token)}


def names(text: str, common: set[str]) -> list[Name]:
    """The names of a sentence; `common` are words that are none although a sentence begins so."""
    tokens = list(_TOKEN.finditer(text))
    if _is_title(tokens):
        tokens = [token for token in tokens if _is_code(token.group())]
    found: list[Name] = []
    words: list[str] = []
    first = last = 0
    for index, token in enumerate(tokens):
        word = _bare(token.group())
        if not _is_name(text, tokens, index, common):
            continue
        if words and text[last : token.start()] == " ":
            words.append(word)
        else:
            if words:
                found.append(Name(text[first:last], tuple(words)))
            words, first = [word], token.start()
        last = token.start() + len(word)
    if words:
        found.append(Name(text[first:last], tuple(words)))
    return found


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_LETTERS = rf"[^\W_{SPACELESS}]+"
_TOKEN = re.compile(rf"{_LETTERS}(?:['’]{_LETTERS})*")
_BEGINS = re.compile(
    r"(?:^|[.!?…:;\n][\"'”’)\]]*\s|^[\s\"'“‘(\[*•–-]*|[\"“‘(]|\n[\s\"'“‘(\[*•–-]*)$"
)
_TITLES = _set("mr mrs ms dr prof sir madam miss lord lady st")
_NO_NAMES = _set("""
    i i'm i've i'll i'd ok mum mom dad although because however since while when after
    before if then thus therefore moreover furthermore finally also both many several some
    these those this unlike despite during among within without under over using based given
    instead overall first second third next last later meanwhile today tomorrow yesterday
    there here what who why how people everyone everybody someone somebody something
    everything nothing nobody others another each every either neither such yet still even
    only just perhaps maybe please let along across through between toward towards against
    until upon according additionally consequently hence nevertheless nonetheless eventually
    currently recently further sometimes often usually
""")
_MONTHS = {
    "jan": "january", "feb": "february", "mar": "march", "apr": "april", "jun": "june",
    "jul": "july", "aug": "august", "sep": "september", "sept": "september", "oct": "october",
    "nov": "november", "dec": "december", "mon": "monday", "tue": "tuesday", "tues": "tuesday",
    "wed": "wednesday", "thu": "thursday", "thur": "thursday", "thurs": "thursday",
    "fri": "friday", "sat": "saturday", "sun": "sunday",
}  # fmt: skip
_ENDINGS = (
    "ians", "ian", "ean", "ish", "ese", "ers", "ans", "an", "er", "es", "ic", "ns", "i", "n", "s",
)  # fmt: skip
_IRREGULAR = {
    "french": "france", "british": "britain", "spanish": "spain", "dutch": "netherlands",
    "greek": "greece", "welsh": "wales", "danish": "denmark", "swiss": "switzerland",
    "turkish": "turkey", "polish": "poland", "chinese": "china", "english": "england",
    "scottish": "scotland", "irish": "ireland", "thai": "thailand", "swedish": "sweden",
    "finnish": "finland", "peruvian": "peru", "norwegian": "norway", "german": "germany",
    "usa": "states", "us": "states", "american": "states", "america": "states", "uk": "kingdom",
}  # fmt: skip
_VERB = re.compile(
    r"\s+(?:(?:also|then|now|never|not|first|later|soon|still|often|always)\s+)?"
    r"(?:is|was|are|were|has|had|have|will|would|can|could|may|might|must|should|does|did|do|"
    r"said|says|told|tells|went|goes|made|took|got|gave|bought|sold|came|saw|met|paid|won|lost|"
    r"left|led|found|thought|felt|kept|knew|wrote|ran|sent|built|held|set|put|read|began|"
    r"isn|wasn|doesn|didn|won|and\s+[A-Z]|wants|asks|thinks|likes|makes|takes|gives|gets|needs|comes|works|plays|lives|"
    r"believes|suggests|agrees|decides|invites|helps|explains|advises|knows|hopes|plans|feels|"
    r"[a-z]{2,}ed)\b"
)
_NO_NAME_ENDING = re.compile(r"(?:ing|ly|tion|tions|ment|ments|ness|ity|ities|ers|ors|ists)$")


def _bare(word: str) -> str:
    """Without the ending of a possessor or of a short form."""
    word = word.replace("’", "'")
    return re.split(r"'(?:s|m|re|ve|ll|d|t)$", word, flags=re.IGNORECASE)[0].rstrip("'")


def _is_code(word: str) -> bool:
    """An acronym, or letters with digits or with capitals among them."""
    return word[:1].isalpha() and any(
        character.isdigit() or character.isupper() for character in word[1:]
    )


def _is_acronym(word: str) -> bool:
    return len(word) >= 2 and word.removesuffix("s").isupper() and word.isascii()


def _is_title(tokens: list[re.Match[str]]) -> bool:
    """Whether nearly all words have capitals, as in a headline, so that those say nothing."""
    words = [token.group() for token in tokens if token.group().lower() not in empty_words()]
    capitals = sum(word[0].isupper() for word in words)
    return len(words) >= 4 and capitals > 0.8 * len(words)


def _is_name(text: str, tokens: list[re.Match[str]], index: int, common: set[str]) -> bool:
    token = tokens[index]
    word = _bare(token.group())
    lower = word.lower()
    if len(word) < 2 or lower in empty_words() or lower in _NO_NAMES or lower in _TITLES:
        return False
    if _is_code(word):
        return True
    if not word[0].isupper():
        return False
    if not _BEGINS.search(text[max(0, token.start() - 4) : token.start()]):
        return True
    # A capital that a sentence begins with says nothing; what follows may.
    if lower in common or _NO_NAME_ENDING.search(word):
        return False
    if len(word) < len(token.group()):  # Maria's
        return True
    after = tokens[index + 1] if index + 1 < len(tokens) else None
    if after is None:
        return False
    if text[token.end() : after.start()] == " " and after.group()[0].isupper():
        return after.group().lower() not in _NO_NAMES and not _is_code(after.group())
    return _VERB.match(text, token.end()) is not None and not _is_plural(word, text, token.end())


def _is_plural(word: str, text: str, end: int) -> bool:
    """Researchers propose: a plural with its verb, rather than a name that ends in s."""
    return word.endswith("s") and not re.match(r"\s+(?:is|was|has|does)\b|\s+[a-z]+s\b", text[end:])


def _forms(word: str) -> set[str]:
    forms = {_IRREGULAR[word]} if word in _IRREGULAR else set()
    forms.update(
        word.removesuffix(ending)
        for ending in _ENDINGS
        if word.endswith(ending) and len(word) - len(ending) >= 4
    )
    return forms
