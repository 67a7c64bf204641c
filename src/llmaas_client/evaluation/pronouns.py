"""What `her` and `his` mean, by the word that follows: English has one form for two meanings.

    I saw her.          object      him          This is his.       alone        hers
    I saw her dog.      possessive  his          This is his dog.   possessive   her

Without a parser this is a guess: a possessive has a noun phrase after it, so it is one unless the
sentence ends there, or goes on with a word that no noun phrase begins with.
"""

from __future__ import annotations

import re

_NEXT = re.compile(r"\s+([A-Za-z][A-Za-z'’]*)")

_NO_NOUN_TEXT = """
    a an the this that these those my your our their its some any every each no both either i
    you he she it we they me us them him her his hers who whom whose which what when where why
    how and or but nor so yet if because although though while since until unless as than
    whether about above across after against along among around at before behind below beneath
    beside between beyond by down during except for from in inside into near of off on onto out
    over past through throughout to toward towards under up upon via with within without is are
    was were am be been being has have had having do does did will would shall should can could
    may might must ought isn't aren't wasn't weren't hasn't haven't hadn't doesn't don't didn't
    won't wouldn't can't couldn't not never ever again already also alone always away anymore
    anyway back else either enough even here home instead just later maybe much now often once
    only perhaps quite rather really right soon still then there therefore today together
    tomorrow tonight too twice very well yesterday
"""
_NO_NOUN = frozenset(_NO_NOUN_TEXT.split())
# Words ending in -ly that stand before nouns, or are nouns.
_NO_ADVERB_TEXT = """
    early lovely daily weekly monthly yearly elderly friendly likely ugly silly holy lonely
    costly lively deadly chilly curly family reply supply ally belly bully assembly butterfly
    sly only
"""
_NO_ADVERB = frozenset(_NO_ADVERB_TEXT.split())
_POSSESSIVE = frozenset({"own", "only", "very"})  # `her only child`, `his very words`


def is_possessive(after: str) -> bool:
    """Whether what follows `her` or `his` belongs to them."""
    found = _NEXT.match(after)
    if found is None:
        return False
    word = found[1].lower().replace("’", "'")
    if word in _POSSESSIVE:
        return True
    if word.endswith("ly") and word not in _NO_ADVERB:
        return False
    return word not in _NO_NOUN
