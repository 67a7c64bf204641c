"""The vocabulary of the runtime: what to generate, and what comes out. No torch here."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from .grammar import Grammar as Grammar


class Finish(StrEnum):
    """Why a sequence ended."""

    STOP = "stop"
    """A token that ends the sequence (it is not among the tokens given out), or the end of its
    grammar."""
    LENGTH = "length"
    """max_tokens were generated."""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is drawn. Applied in the order of transformers' generate:
    repetition penalty, temperature, top_k, top_p, min_p. Temperature 0 is greedy.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None
    min_p: float = 0.0
    repetition_penalty: float = 1.0
    seed: int | None = None
    """None: a fresh seed for each request. What a seed draws does not depend on the batch."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One sequence to generate.

    `prompt` and `max_tokens` together fit the model's context: the caller has checked.
    """

    prompt: tuple[int, ...]
    max_tokens: int
    sampling: Sampling = field(default_factory=Sampling)
    stop_ids: frozenset[int] = frozenset()
    top_logprobs: int | None = None
    """None: no log-probabilities. 0: of the chosen token. k: of the k most likely, too."""
    grammar: Grammar | None = None
    """What the answer must follow, of `Model.grammar`; decoder models alone."""
    tenant: str = ""
    deadline: float | None = None
    """On the clock of time.monotonic(); then the request fails with deadline_exceeded."""


@dataclass(frozen=True, slots=True)
class Token:
    """One generated token. `logprob` is natural, of the unmodified distribution."""

    id: int
    logprob: float | None = None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a sequence, and what it took. Seconds."""

    reason: Finish
    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    queue_s: float
    prefill_s: float
    decode_s: float


@dataclass(frozen=True, slots=True)
class Scoring:
    """Continuations to score after one shared prefix, which is computed once.

    The job's one item: `list[list[float]]`, natural log-probabilities, one list a continuation.
    """

    prefix: tuple[int, ...]
    continuations: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Encoding:
    """Sequences for the encode lane: ids and, for pairs, token type ids.

    The job's one item: float32 array, [sequences, labels] where `head`, else [sequences, hidden].
    """

    sequences: tuple[tuple[tuple[int, ...], tuple[int, ...] | None], ...]
    head: bool
    """True: the logits of the classification head. False: mean-pooled unit vectors."""


@dataclass(frozen=True, slots=True)
class Reading:
    """How a tokenizer reads a text. Both are 0 where its characters alone say that all is read."""

    tokens: int
    unread: int
    """Those that say next to nothing to the model: unknown, parts of characters, or letters of a
    script of which the vocabulary has next to nothing."""


@dataclass(frozen=True, slots=True)
class Place:
    """A token, and where in a text it comes from: characters `start` to `end`."""

    token: str
    """As the vocabulary has it: `[CLS]`, `##ing`."""
    start: int | None
    end: int | None
    """Both None for a token that is not of the text."""


@dataclass(frozen=True, slots=True, eq=False)
class Readout:
    """One number of what a model says of a text: what gradients are taken of.

    From scores `s`, it is s[chosen], and where labels stand against each other the log-odds
    s[chosen] - log sum exp s[against].
    """

    chosen: int
    against: tuple[int, ...] = ()
    weights: NDArray[np.float32] | None = None
    """[scores, hidden]: the scores are `weights @ vector + bias` of the unit vector of the text.
    None: they are the logits of the head."""
    bias: NDArray[np.float32] | None = None
    """[scores]; None is zero."""


@dataclass(frozen=True, slots=True, eq=False)
class Attribution:
    """Integrated gradients of one sequence (Sundararajan, Taly and Yan 2017).

    Along the straight line from padding to the text, in the table of token embeddings. The job's
    one item: `Attributed`.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...] | None
    replaced: tuple[bool, ...]
    """Which tokens are padding where the path begins; the others stay what they are."""
    readout: Readout
    steps: int
    """Points of the path, of Gauss and Legendre."""


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """What each token has to do with the way from `baseline` to `value`."""

    scores: NDArray[np.float64]
    """[tokens]; exactly 0 for those that were not replaced."""
    value: float
    """The readout of the sequence."""
    baseline: float
    """The readout where the path begins."""


@dataclass(frozen=True, slots=True)
class Attention:
    """A sequence whose attention is wanted.

    The job's one item: float32 array, [layers, heads, tokens (from), tokens (to)].
    """

    ids: tuple[int, ...]
    types: tuple[int, ...] | None
