"""Which sentences stand for a text: near its centre, early in it, and not alike.

Time and memory grow with the number of sentences, not with its square.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llmaas_server.runtime.interface import Floats
from llmaas_server.tasks.text.content import content_words

from .focus import Focus
from .terms import Numbers, Terms

# Salience is counted in standard deviations. The weights were found on dialogues, meetings and
# abstracts; halving or doubling one of them changes little.
CENTRALITY = 1.0
"""Nearness to the centre of all sentences."""
TERM_WEIGHT = 0.6
TERM_DENSITY = 0.3
LENGTH_WEIGHT = 0.3
POSITION_WEIGHT = 1.5
POSITION_DECAY = 4.0
"""Sentences. The first of a document gains POSITION_WEIGHT, the fifth e times less."""
FOCUS_NEARNESS, FOCUS_NAMED = 2.0, 3.5
"""In meaning to what is asked, and what is named of it here and around."""
FOCUS_SALIENCE = 0.5
"""What is left of the weight of all else then; position has none."""
REDUNDANCY = 4.0
"""What a cosine of 1 to a chosen sentence costs."""
FORM_PENALTY = 0.5
"""For a sentence that hangs on the one before, or that does not end; twice for an odd length."""
DUPLICATE = 0.95
"""The cosine from which a sentence says nothing new at all."""
SHORT, LONG = 4, 60
"""Words. Sentences outside are rarely worth quoting."""

_DANGLING = re.compile(
    r"(?:he|she|it|they|this|that|these|those|but|however|and|so|also|then|there|his|her|its|"
    r"their|therefore|thus|moreover|furthermore|hence|nevertheless|meanwhile|instead)\b|"
    # Chinese and Japanese: but, therefore, besides, then; he, she, it, this, that.
    r"但|可是|然而|不过|不過|却|卻|因此|因而|所以|于是|於是|而且|并且|並且|而|此外|另外|同时|同時|然后|然後|"
    r"接着|接著|其次|总之|總之|对此|對此|为此|為此|也(?!许|許)|还|還|其(?![他它实實])|此|该|該|"
    r"[他她它牠]|[这這]|那(?![不么麼])|しかし|そして|また|だから|それ|これ|その|この|彼|ところが|さらに",
    re.IGNORECASE,
)
_FINISHED = re.compile(r"[.!?…。！？；｡][\"'”’」』\])\]）]*$")


@dataclass(frozen=True, slots=True)
class Candidate:
    text: str
    position: int
    """From 0, in its own document."""
    length: int
    """Words that a reader reads: `text.words.reading_words`."""
    cost: int
    """Words that it adds to a summary."""
    document: int = 0


def salience(
    vectors: Floats, candidates: Sequence[Candidate], focus: Focus | None = None
) -> Numbers:
    """How much each sentence stands for the whole, or for what is asked. Only the order and the
    distances matter."""
    form = np.array([_form(candidate) for candidate in candidates])
    contents = [content_words(candidate.text) for candidate in candidates]
    terms = Terms(contents)
    # Titles, list marks and interjections have little say in what the text is about.
    says = np.minimum([len(content) for content in contents], 20) + 0.1
    weights = (np.where(form >= 0, 1.0, 0.1) * says).astype(np.float32)
    centre = weights @ vectors
    centre /= max(float(np.linalg.norm(centre)), 1e-12)
    positions = np.array([candidate.position for candidate in candidates])
    result: Numbers = (
        CENTRALITY * _standard(vectors @ centre)
        + TERM_WEIGHT * _standard(terms.weight)
        + TERM_DENSITY * _standard(terms.density)
        + LENGTH_WEIGHT * _standard(terms.length)
        + form
    )
    if focus is None:
        result += POSITION_WEIGHT * np.exp(-positions / POSITION_DECAY)
    else:
        documents = [candidate.document for candidate in candidates]
        result *= FOCUS_SALIENCE
        result += FOCUS_NEARNESS * _standard(focus.cosines(vectors))
        result += FOCUS_NAMED * _standard(focus.named(contents, documents))
    return result


def _standard(values: Numbers | Floats) -> Numbers:
    spread = float(values.std())
    centred = (values - values.mean()).astype(np.float64)
    standard: Numbers = centred / spread if spread > 1e-6 else np.zeros_like(centred)
    return standard


def _form(candidate: Candidate) -> float:
    penalty = 0.0
    if not SHORT <= candidate.length <= LONG:
        penalty -= 2 * FORM_PENALTY
    if not _FINISHED.search(candidate.text):
        penalty -= FORM_PENALTY
    if _DANGLING.match(candidate.text):
        penalty -= FORM_PENALTY
    return penalty


def hangs(candidate: Candidate) -> bool:
    """Whether the sentence makes no sense without the one before it."""
    return candidate.position > 0 and _DANGLING.match(candidate.text) is not None


def select(
    vectors: Floats,
    candidates: Sequence[Candidate],
    salient: Numbers,
    most: int,
    max_words: int | None,
) -> list[int]:
    """Indices of at most `most` sentences within `max_words` together, in the order of the text.

    Maximal marginal relevance (Carbonell and Goldstein, 1998), greedy. A sentence that hangs on
    the one before it comes together with that one, or not at all. Where there is room for a
    sentence of each document, every document gives one before any gives a second.
    """
    costs = np.array([candidate.cost for candidate in candidates])
    needs = np.array([hangs(candidate) for candidate in candidates])
    documents = np.array([candidate.document for candidate in candidates])
    left = np.inf if max_words is None else float(max_words)
    likeness = np.full(len(candidates), -1.0)
    # Fragments are no sentences of a summary, except where there is nothing else.
    open_ = np.array([candidate.length >= SHORT for candidate in candidates])
    if not (open_ & (costs <= left)).any():
        open_[:] = True
    unheard = set(documents.tolist())
    if len(unheard) > most:
        unheard = set()
    chosen: set[int] = set()
    while len(chosen) < most:
        possible = open_ & (costs <= left) & (likeness < DUPLICATE)
        waiting = possible & np.isin(documents, list(unheard))
        if waiting.any():
            possible = waiting
        else:
            unheard = set()
        if not possible.any():
            break
        value = np.where(possible, salient - REDUNDANCY * np.maximum(likeness, 0), -np.inf)
        best = int(value.argmax())
        open_[best] = False
        together = _with_antecedents(best, needs, chosen)
        others = len(unheard - {int(documents[best])})
        if len(chosen) + len(together) + others > most or costs[together].sum() > left:
            continue
        chosen.update(together)
        unheard.discard(int(documents[best]))
        open_[together] = False
        left -= float(costs[together].sum())
        for index in together:
            likeness = np.maximum(likeness, vectors @ vectors[index])
    if not chosen:  # every sentence that fits hangs on one that does not
        fitting = np.where(costs <= left, salient, -np.inf)
        chosen = {int(fitting.argmax())} if most and np.isfinite(fitting).any() else set()
    return sorted(chosen)


def _with_antecedents(index: int, needs: NDArray[np.bool_], chosen: set[int]) -> list[int]:
    """The sentence, and those before it that it hangs on and that are not chosen yet."""
    together = [index]
    while needs[together[0]] and together[0] - 1 not in chosen:
        together.insert(0, together[0] - 1)
    return together
