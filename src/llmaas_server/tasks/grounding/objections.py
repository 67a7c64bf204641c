"""What speaks against a sentence although its meaning is near: a number, a name, a negation, names
in each other's place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmaas_server.tasks.text.stems import stem

from .choice import CARRIES, Choice
from .evidence import Grounds
from .names import Name, Vocabulary, names
from .numbers import Number
from .polarity import contradicted
from .roles import exchanged

# What is left of the support. A number that is nowhere is a stronger sign than a name: that can
# be an abbreviation, or known from elsewhere.
NUMBER, NAME, NEGATION = 0.05, 0.4, 0.2
SAME = 0.85
"""The cosine from which a span says the same as the sentence, but for a number."""
FAR = 0.6
"""Of a number that stands in the source, but elsewhere: this, times the relevance of the place."""


@dataclass(frozen=True, slots=True)
class Objection:
    reason: str | None
    """None where it only weakens the support."""
    leaves: float
    """The share of the support that is left."""


def against(
    claim: str,
    stated: Sequence[Number],
    weighed: frozenset[str],
    choice: Choice,
    grounds: Grounds,
) -> Iterator[Objection]:
    """Objections to a sentence with these numbers and terms, which rests on the spans chosen."""
    named = names(claim, grounds.vocabulary.uncapitalised)
    own = {stem(word) for name in named for word in name.lower}
    literal = grounds.literal(weighed - own, choice.spans)
    yield from _numbers(stated, choice, literal, grounds)
    yield from _names(named, literal, grounds)
    if literal and (word := contradicted(claim, [grounds.texts[i] for i in literal])) is not None:
        yield Objection(f"it and the source differ in a negation: {word}", NEGATION)
    if pair := exchanged(claim, named, [grounds.texts[i] for i in literal]):
        yield Objection(f"{pair[0]} and {pair[1]} are the other way round in the source", NAME)


def _numbers(
    stated: Sequence[Number], choice: Choice, literal: Sequence[int], grounds: Grounds
) -> Iterator[Objection]:
    # What says the same in the same words decides alone.
    same = choice.spans[:1] if choice.likeness >= SAME else literal
    others = any(grounds.values[index] for index in same)
    for number, carried in zip(stated, choice.carried, strict=True):
        if carried is None:
            yield Objection(f"the number {number.text} is not in the source", NUMBER)
        elif carried < CARRIES or (others and not grounds.has(number, same)):
            reason = f"the number {number.text} is not where the source says this"
            yield Objection(reason, max(NUMBER, FAR * min(carried, CARRIES)))
        else:
            yield Objection(None, min(1.0, 0.2 + carried))


_SPEAKS = re.compile(r"\b(?:i|you|we|my|your|our|me|us)\b", re.IGNORECASE)
"""Who that is, the sentence does not say."""


def _names(named: Sequence[Name], literal: Sequence[int], grounds: Grounds) -> Iterator[Objection]:
    common = grounds.vocabulary.uncapitalised
    own = {word.lower() for name in named for word in name.words}
    texts = [grounds.texts[index] for index in literal]
    there = Vocabulary(texts)
    others = any(
        own.isdisjoint(name.lower)
        for text in texts
        if not _SPEAKS.search(text)
        for name in names(text, common)
    )
    for name in named:
        if not grounds.vocabulary.has(name):
            yield Objection(f"the name {name.text} is not in the source", NAME)
        elif others and not there.has(name):
            yield Objection(f"the name {name.text} is not where the source says this", NAME)
