"""How a model is asked for a summary: a chat model by a prompt, an encoder-decoder by the text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.request import Sampling

from .prompts import Brief, asked, instruction
from .shape import Shape

PART_TOKENS = 2048
"""Tokens of source in a part, or in an excerpt, for a chat model: a small model reads no more with
profit, and several parts run side by side. A quarter of the context, where that is more."""

REPETITION_PENALTY = 1.05
"""It counts the source's words, too: at 1.0 a model of 135M parameters turns in circles, from 1.1
on it avoids the names that it should repeat."""


class Writer(Protocol):
    """Prompts of one form for one model, and the limits that they keep."""

    brief: Brief
    answer_tokens: int
    """Most tokens of an answer."""
    frame_tokens: int
    """Most tokens of a prompt beside its text."""
    room: int
    """Most tokens of a text in a prompt."""
    sampling: Sampling
    instructed: bool
    """Whether prompts say what is wanted: its focus, and which document a text is from."""

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        """Ids that ask for a summary of `text`; `merging`: of the summaries of its parts."""

    def fits(self, prompt: Sequence[int]) -> bool:
        """Whether the prompt leaves room for an answer."""

    def echoes(self, sentence: str) -> bool:
        """Whether the sentence is of the prompt's own words."""


class ChatWriter:
    """Prompt and answer share one context."""

    instructed = True

    def __init__(self, model: Model, brief: Brief) -> None:
        self.brief = brief
        self._model = model
        self._takes_system = _takes_system(model)
        self.frame_tokens = max(len(self.prompt("", merging=merging)) for merging in (False, True))
        free = model.context - self.frame_tokens
        self.answer_tokens = _answer_tokens(brief.shape, free, model)
        self.room = free - self.answer_tokens
        self.sampling = Sampling(temperature=0.0, repetition_penalty=REPETITION_PENALTY)
        told = (instruction(brief, merging=merging) for merging in (False, True))
        self._told = " ".join([*told, brief.focus or ""])

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        told = instruction(self.brief, merging=merging)
        read = asked(self.brief, text)
        if self._takes_system:
            messages = [{"role": "system", "content": told}, {"role": "user", "content": read}]
        else:
            messages = [{"role": "user", "content": f"{told}\n\n{read}"}]
        return tuple(self._model.tokenizer.encode_chat(messages))

    def fits(self, prompt: Sequence[int]) -> bool:
        return len(prompt) <= self.frame_tokens + self.room

    def echoes(self, sentence: str) -> bool:
        return len(sentence) > _SHORTEST_ECHO and sentence in self._told


class ChatReader(ChatWriter):
    """Writes of a part, or of an excerpt: both are smaller than the context."""

    def __init__(self, model: Model, brief: Brief) -> None:
        super().__init__(model, brief)
        self.room = min(self.room, max(PART_TOKENS, model.context // 4))


class Seq2SeqWriter:
    """The decoder has a context of its own; the encoder reads the text without a prompt, but for
    the words that the model was trained to find before it."""

    instructed = False

    def __init__(self, model: Model, brief: Brief) -> None:
        self.brief = brief
        self._model = model
        self.frame_tokens = len(self.prompt(""))
        self.room = model.context - self.frame_tokens
        self.answer_tokens = min(
            _answer_tokens(brief.shape, self.room, model), model.max_completion
        )
        self.sampling = replace(model.sampling, temperature=0.0)

    def prompt(self, text: str, *, merging: bool = False) -> tuple[int, ...]:
        return tuple(self._model.tokenizer.encode(self._model.source_prefix + text))

    def fits(self, prompt: Sequence[int]) -> bool:
        return len(prompt) <= self._model.context

    def echoes(self, sentence: str) -> bool:
        return False


def writer_for(model: Model, brief: Brief) -> Writer:
    """Writes a summary."""
    return ChatWriter(model, brief) if model.ref.kind == "decoder" else Seq2SeqWriter(model, brief)


def reader_for(model: Model, brief: Brief) -> Writer:
    """Writes summaries of parts, or of an excerpt."""
    return ChatReader(model, brief) if model.ref.kind == "decoder" else Seq2SeqWriter(model, brief)


def _takes_system(model: Model) -> bool:
    """Whether the chat template has a place for what to do beside the text to do it with."""
    messages = [{"role": "system", "content": "Answer."}, {"role": "user", "content": "Text"}]
    try:
        model.tokenizer.encode_chat(messages)
    except Problem as problem:
        if problem.code != "invalid_request":
            raise
        return False
    return True


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
_SHORTEST_ECHO = 12
