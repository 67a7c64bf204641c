"""How a model is asked for a summary: a chat model by a prompt, an encoder-decoder by the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from llmaas_server.errors import context_overflow
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.request import Sampling

from .prompts import ask
from .shape import Shape

PART_TOKENS = 2048
"""Most tokens of source in one prompt of a chat model: a small model reads no more with profit,
and several parts run side by side."""

REPETITION_PENALTY = 1.05
"""It counts the source's words, too: at 1.0 a model of 135M parameters turns in circles, from 1.1
on it avoids the names that it should repeat."""


class Writer(Protocol):
    """Prompts of one form for one model, and the limits that they keep."""

    answer_tokens: int
    """Most tokens of an answer."""
    room: int
    """Most tokens of a text in a prompt."""
    sampling: Sampling

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        """Ids that ask for a summary of `text`; `merging`: of the summaries of its parts."""

    def fits(self, prompt: Sequence[int]) -> bool:
        """Whether the prompt leaves room for an answer."""


class ChatWriter:
    """Prompt and answer share one context."""

    def __init__(self, model: Model, shape: Shape) -> None:
        self._model = model
        self._shape = shape
        self._overhead = max(len(self.prompt("", merging=merging)) for merging in (False, True))
        free = model.context - self._overhead
        self.answer_tokens = _answer_tokens(shape, free, model)
        self.room = min(PART_TOKENS, free - self.answer_tokens)
        self.sampling = Sampling(temperature=0.0, repetition_penalty=REPETITION_PENALTY)

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        content = ask(self._shape, text, merging=merging)
        return tuple(self._model.tokenizer.encode_chat([{"role": "user", "content": content}]))

    def fits(self, prompt: Sequence[int]) -> bool:
        return len(prompt) <= self._overhead + self.room


class Seq2SeqWriter:
    """The decoder has a context of its own; the encoder reads the text without a prompt."""

    def __init__(self, model: Model, shape: Shape) -> None:
        self._model = model
        self.room = model.context - len(model.tokenizer.encode(""))
        self.answer_tokens = min(_answer_tokens(shape, self.room, model), model.max_completion)
        self.sampling = replace(model.sampling, temperature=0.0)

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        return tuple(self._model.tokenizer.encode(text))

    def fits(self, prompt: Sequence[int]) -> bool:
        return len(prompt) <= self._model.context


def writer_for(model: Model, shape: Shape) -> Writer:
    return ChatWriter(model, shape) if model.ref.kind == "decoder" else Seq2SeqWriter(model, shape)


def _answer_tokens(shape: Shape, free: int, model: Model) -> int:
    """Enough for the form asked for; two answers and a third still fit into what is free."""
    wanted = _SENTENCE_TOKENS * shape.sentences + _MARGIN
    if shape.max_words is not None:
        wanted = min(wanted, _TOKENS_PER_WORD * shape.max_words + _MARGIN)
    most = (free - _MARGIN) // 3
    if most < _MARGIN:
        needed = model.context - free + 4 * _MARGIN
        raise context_overflow(needed, model.context, "the shortest prompt for a summary")
    return min(wanted, most)


_SENTENCE_TOKENS = 40
_TOKENS_PER_WORD = 3
_MARGIN = 16
