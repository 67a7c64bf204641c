"""An answer as it grows: tokens in, deltas out, and nothing of a stop string in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llmaas_server.runtime.interface import Tokenizer
from llmaas_server.runtime.request import Token
from llmaas_server.seam.values import Delta

from .text.stops import StopMatcher


class Answer:
    """Holds back what may belong to a stop string, text and log-probabilities alike."""

    def __init__(self, tokenizer: Tokenizer, stops: Sequence[str], logprobs: bool) -> None:
        self._tokenizer = tokenizer
        self._stream = tokenizer.stream()
        self._matcher = StopMatcher(stops)
        self._pieces: list[str] = []
        self._received = 0
        self._given = 0
        # Entries of tokens whose text was not given out yet, each with where its text ends.
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self.logprobs: list[dict[str, Any]] | None = [] if logprobs else None

    @property
    def text(self) -> str:
        return "".join(self._pieces)

    @property
    def stopped(self) -> bool:
        """Whether a stop string has ended the answer."""
        return self._matcher.stopped

    def push(self, token: Token) -> Delta | None:
        """The delta that is certain now."""
        piece = self._stream.push(token.id)
        self._received += len(piece)
        if self.logprobs is not None:
            # A token without text of its own belongs to the character that is still to come.
            end = self._received if piece else self._received + 1
            self._waiting.append((end, self._entry(token)))
        return self._give(self._matcher.push(piece))

    def finish(self) -> Delta | None:
        """What is left when no token follows; nothing where a stop string ended the answer."""
        if self.stopped:
            return None
        piece = self._stream.finish()
        self._received += len(piece)
        text = self._matcher.push(piece)
        if not self.stopped:
            text += self._matcher.finish()
            # The text of an incomplete character came just now: its tokens end here.
            self._waiting = [(min(end, self._received), entry) for end, entry in self._waiting]
        return self._give(text)

    def _give(self, text: str) -> Delta | None:
        self._pieces.append(text)
        self._given += len(text)
        entries = [entry for end, entry in self._waiting if end <= self._given]
        if self.logprobs is None:
            return Delta(text) if text else None
        if not text and not entries:
            return None
        self._waiting = self._waiting[len(entries) :]
        self.logprobs.extend(entries)
        return Delta(text, entries)

    def _entry(self, token: Token) -> dict[str, Any]:
        return {
            **self._choice(token.id, token.logprob),
            "top": [self._choice(id, logprob) for id, logprob in token.top],
        }

    def _choice(self, id: int, logprob: float | None) -> dict[str, Any]:
        return {"token": self._tokenizer.decode([id]), "logprob": logprob}
