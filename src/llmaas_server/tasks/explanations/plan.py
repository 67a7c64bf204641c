"""What is to be read to explain a request, and what that costs at most: before anything is read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_client.wire.explanations import (
    MAX_ATTENTION_WEIGHTS,
    MAX_EXPLAINED_TOKENS,
    MAX_FLIP_TEXTS,
    MAX_GRADIENT_TOKENS,
    Explain,
)
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model
from llmaas_server.tasks.classifiers.base import Scoring, inputs_of, texts_of
from llmaas_server.tasks.text.units import Unit, grouped, without, words_of

Read = Callable[[Sequence[str]], Scoring]
"""Tokenizes texts for the way in which the request is decided."""


@dataclass(frozen=True, slots=True)
class Parted:
    """A text, and the units that it is taken apart into."""

    text: str
    units: tuple[Unit, ...]
    words: int
    """As many as the units are of."""

    def without(self, removed: Sequence[int] | frozenset[int]) -> str:
        return without(self.text, self.units, removed)


@dataclass(frozen=True, slots=True)
class Plan:
    """How to explain."""

    asked: Explain
    texts: tuple[Parted, ...]
    read: Read
    label: int | None
    """The label to explain; None is the best of each text."""
    occlusion: bool
    gradients: bool
    """Whether they are wanted, where the model has them."""
    left_out: str | None
    """Why integrated gradients are not taken of some text, where they are not."""
    flip_tokens: int
    """Most tokens of changed texts that are read in search of flips."""
    gradient_tokens: int

    @property
    def variants(self) -> list[str]:
        """The texts without each of their units, those of the first text first."""
        return [
            parted.without([number])
            for parted in self.texts
            for number in range(len(parted.units) if self.occlusion else 0)
        ]


def make_plan(request: ClassifyRequest, model: Model, base: Scoring, read: Read) -> Plan | None:
    """The plan of a request; `base` is the scoring of its texts. None where nothing is asked.

    Raises Problem `unsupported_parameter` for what the model does not have, `invalid_request`
    where it would take too many tokens.
    """
    asked = request.explain
    if asked is None:
        return None
    texts = [_parted(text, model, asked.max_units) for text in texts_of(request)]
    methods = asked.methods
    occlusion = methods is None or "occlusion" in methods
    gradients = methods is None or "integrated_gradients" in methods
    left_out = _no_gradients(model, base, len(texts)) if gradients else None
    if left_out is not None and methods is not None:
        raise Problem(
            "unsupported_parameter",
            f"integrated gradients are not taken: {left_out}",
            hint="Explain by occlusion, which every model and every text can have.",
            param="explain",
        )
    plan = Plan(
        asked,
        tuple(texts),
        read,
        _label(asked, base),
        occlusion,
        gradients,
        left_out,
        _flip_tokens(texts, read) if asked.flip else 0,
        _gradient_tokens(base, len(texts), asked.steps) if gradients else 0,
    )
    if occlusion:
        # What is far too much is not tokenized.
        rough = sum(len(model.tokenizer.encode(one.text)) * len(one.units) for one in texts)
        check_tokens(rough + plan.flip_tokens + plan.gradient_tokens)
    return plan


def check_tokens(tokens: int) -> None:
    if tokens > MAX_EXPLAINED_TOKENS:
        raise Problem(
            "invalid_request",
            f"to explain this would take {tokens} tokens, and {MAX_EXPLAINED_TOKENS} is the most",
            hint="Explain fewer or shorter texts at once, lower explain.max_units, or set "
            "explain.flip to false.",
            param="explain",
        )


def check_view(request: ClassifyRequest, model: Model, base: Scoring) -> int:
    """Tokens that are read for the view; 0 where none is asked for.

    Raises Problem `unsupported_parameter` where the model has no attention of one text, or it
    would be too large.
    """
    if request.view is None:
        return 0
    if model.attention_heads is None:
        raise Problem(
            "unsupported_parameter",
            f"{model.ref.name!r} ({model.ref.kind}) has no attention of one text to itself: the "
            "view is of encoders",
            hint="Remove view, or choose an encoder or a classifier.",
            param="view",
        )
    layers, heads = model.attention_heads
    lengths: list[int] = []
    for text in range(len(texts_of(request))):
        longest = longest_input(base, text)
        if not longest:
            raise Problem(
                "unsupported_parameter",
                f"{_name(request, text)} is longer than the model's context of {model.context} "
                "tokens, and its windows do not see each other",
                param="view",
            )
        lengths.append(longest)
    weights = layers * heads * sum(length**2 for length in lengths)
    if weights > MAX_ATTENTION_WEIGHTS:
        squares = " + ".join(f"{length} x {length}" for length in lengths[:3])
        more = f" + {len(lengths) - 3} more" if len(lengths) > 3 else ""
        raise Problem(
            "unsupported_parameter",
            f"{layers} layers x {heads} heads x ({squares}{more}) tokens are {weights} numbers, "
            f"and {MAX_ATTENTION_WEIGHTS} is the most",
            hint="Look at a shorter text, or at fewer of them at once.",
            param="view",
        )
    return sum(lengths)


def _parted(text: str, model: Model, most: int) -> Parted:
    begins = {place.start for place in model.tokenizer.places(text) if place.start is not None}
    words = words_of(text, begins)
    return Parted(text, tuple(grouped(words, most)), len(words))


def _label(asked: Explain, base: Scoring) -> int | None:
    if asked.label is None:
        return None
    names = [name.strip() for name in base.labels]
    if asked.label.strip() not in names:
        shown = ", ".join(map(repr, names[:5])) + (", …" if len(names) > 5 else "")
        raise Problem(
            "unsupported_parameter",
            f"{asked.label!r} is none of the labels: {shown}",
            hint="Explain one of the labels, or leave explain.label away for the best one.",
            param="explain.label",
        )
    return names.index(asked.label.strip())


def _no_gradients(model: Model, base: Scoring, texts: int) -> str | None:
    """Why some text has no integrated gradients; None where all have."""
    if model.attention_heads is None:
        return f"{model.ref.name!r} ({model.ref.kind}) is no encoder"
    for text in range(texts):
        if reason := why_not(base, text, model):
            return reason
    return None


def why_not(base: Scoring, text: int, model: Model) -> str | None:
    """Why a text has no integrated gradients, though the model has; None where it has."""
    longest = longest_input(base, text)
    if not longest:
        return f"a text is longer than the model's context of {model.context} tokens"
    if longest > MAX_GRADIENT_TOKENS:
        return f"a text has {longest} tokens, and {MAX_GRADIENT_TOKENS} is the most"
    return None


def _gradient_tokens(base: Scoring, texts: int, steps: int) -> int:
    """Each text is read at every point of the path, and at its ends."""
    return (steps + 2) * sum(longest_input(base, text) for text in range(texts))


def longest_input(base: Scoring, text: int) -> int:
    """Tokens of the longest pass that a text is read in; 0 where it is not read in one."""
    return max((len(one.ids) for one in inputs_of(base, text)), default=0)


def _flip_tokens(texts: Sequence[Parted], read: Read) -> int:
    """A changed text is at most as long as the text itself, as a rule: no more is read."""
    return MAX_FLIP_TEXTS * sum(read([one.text]).prompt_tokens for one in texts)


def _name(request: ClassifyRequest, text: int) -> str:
    return "the text" if isinstance(request.text, str) else f"text[{text}]"
