"""Grammars that an answer must follow: which tokens may come next, by `llguidance`.

No torch here. A grammar is compiled once, when its request is measured; each sequence then has a
matcher of its own. The mask of the next token is computed beside the step loop, while the model
computes that token's logits.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock

import numpy as np
from llguidance import LLMatcher, LLParserLimits, LLTokenizer
from numpy.typing import NDArray

from llmaas_server.errors import Problem

Mask = NDArray[np.bool_]
"""Which tokens may come next, [vocabulary of the tokenizer]."""

# Of one or two kB each, as an answer comes to them.
_MOST_STATES = 50_000


class Grammars:
    """The grammars of one model. What they share is made with the first; for any thread."""

    def __init__(self, definition: Callable[[], str], stop_ids: frozenset[int]) -> None:
        """`definition` gives the tokenizer as JSON, in which control tokens are special;
        `stop_ids` may come where a grammar allows its end."""
        self._definition = definition
        self._stop_ids = stop_ids
        self._lock = Lock()
        self._made: tuple[LLTokenizer, ThreadPoolExecutor] | None = None

    def compile(self, text: str) -> Grammar:
        """Raises Problem `invalid_request` for a grammar that is none, and
        `unsupported_parameter` where the model's tokenizer cannot be held to one."""
        tokenizer, thread = self._shared()
        matcher = LLMatcher(
            tokenizer, text, log_level=0, limits=LLParserLimits(max_lexer_states=_MOST_STATES)
        )
        if matcher.is_error():
            raise invalid_format(matcher.get_error())
        return Grammar(matcher, thread)

    def _shared(self) -> tuple[LLTokenizer, ThreadPoolExecutor]:
        with self._lock:
            if self._made is None:
                self._made = (self._tokenizer(), ThreadPoolExecutor(1, "llmaas-masks"))
            return self._made

    def _tokenizer(self) -> LLTokenizer:
        try:
            return LLTokenizer(self._definition(), eos_token=sorted(self._stop_ids) or None)
        except ValueError as error:
            raise Problem(
                "unsupported_parameter",
                f"this model's answers cannot be held to a format: {error}",
                hint="Leave response_format out, or choose another model.",
                param="response_format",
            ) from error


class Grammar:
    """A compiled grammar, for any number of sequences."""

    def __init__(self, matcher: LLMatcher, thread: ThreadPoolExecutor) -> None:
        self._matcher = matcher
        self._thread = thread

    def start(self) -> Matcher:
        return Matcher(self._matcher.deep_copy(), self._thread)


class Matcher:
    """Where one answer stands in its grammar. Belongs to one thread."""

    def __init__(self, matcher: LLMatcher, thread: ThreadPoolExecutor) -> None:
        self._matcher = matcher
        self._thread = thread
        self._next: Future[bytes] = thread.submit(matcher.compute_bitmask)

    def mask(self) -> Mask:
        """Which tokens may come next; those that end an answer where the grammar may end."""
        bits = np.frombuffer(self._next.result(), dtype=np.uint8)
        return np.unpackbits(bits, bitorder="little").view(np.bool_)

    @property
    def problem(self) -> Problem | None:
        """Set where the grammar became too complex to go on; no mask means anything then."""
        return invalid_format(self._matcher.get_error()) if self._matcher.is_error() else None

    def take(self, token: int) -> bool:
        """Go on by a token that the mask allowed; whether nothing can follow any more."""
        self._matcher.consume_token(token)
        if self._matcher.is_stopped() and not self._matcher.is_error():
            return True
        self._next = self._thread.submit(self._matcher.compute_bitmask)
        return False


def invalid_format(reason: str) -> Problem:
    return Problem(
        "invalid_request",
        f"response_format is not one that an answer can follow: {reason.strip()}",
        hint="docs/tasks/chat.md says which JSON schemas and regular expressions work.",
        param="response_format",
    )
