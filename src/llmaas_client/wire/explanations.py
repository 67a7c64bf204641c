"""Explanations of a classification: what of the text its label rests on.

An explanation says what the model does with the text, not what is right. Attention is shown as a
view, and explains nothing.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast, get_args

from pydantic import BeforeValidator, Field, field_validator
from pydantic_core import PydanticCustomError

from .base import Request, Text, WireModel

ExplainMethod = Literal["occlusion", "integrated_gradients"]
View = Literal["attention"]

MAX_EXPLAINED_TEXTS = 32
"""Most texts of a request with `explain` or `view`."""

MAX_EXPLAINED_TOKENS = 1_000_000
"""Most tokens that are read to explain one request."""

MAX_UNITS = 512
"""Most parts that a text is taken apart into."""

UNITS = 128
"""The same, where the request does not say."""

MAX_STEPS = 512
"""Most points of the path of integrated gradients."""

STEPS = 32
"""The same, where the request does not say."""

MAX_FLIP_TEXTS = 96
"""Most changed texts that a search for a flip reads, beside those of occlusion."""

MAX_REMOVED = 32
"""Most words, or groups of them, that a search for a flip takes away."""

MAX_GRADIENT_TOKENS = 512
"""Most tokens of a text whose gradients are taken."""

MAX_ATTENTION_WEIGHTS = 500_000
"""Most numbers in the attention of one request: layers x heads x tokens x tokens, of all texts."""


class Explain(Request):
    """How to explain. Everything has a default, which is what `explain: true` means."""

    methods: list[ExplainMethod] | None = Field(
        default=None,
        min_length=1,
        description="Without it occlusion, and integrated gradients where the model has them.",
    )
    flip: bool = Field(
        default=True, description="Search for the smallest change that flips the label."
    )
    label: Text | None = Field(
        default=None, description="The label to explain; without it the best one."
    )
    max_units: int = Field(
        default=UNITS,
        ge=2,
        le=MAX_UNITS,
        description="Longer texts have neighbouring words grouped into so many units.",
    )
    steps: int = Field(
        default=STEPS,
        ge=4,
        le=MAX_STEPS,
        description="Points on the path of integrated gradients: the more, the smaller the gap.",
    )

    @field_validator("methods")
    @classmethod
    def _each_once(cls, methods: list[ExplainMethod] | None) -> list[ExplainMethod] | None:
        if methods is not None and len(set(methods)) < len(methods):
            raise PydanticCustomError("invalid_request", "a method is there twice")
        return methods


def _in_full(explain: Any) -> Any:
    """What `true`, `false` or the name of a method stand for."""
    if isinstance(explain, bool):
        return {} if explain else None
    if isinstance(explain, str):
        if explain not in get_args(ExplainMethod):
            raise PydanticCustomError(
                "invalid_request",
                "{given} is no method; there are: {methods}",
                {"given": repr(explain), "methods": ", ".join(get_args(ExplainMethod))},
            )
        return {"methods": [explain]}
    if explain is None or isinstance(explain, dict | Explain):
        return cast("Any", explain)
    raise PydanticCustomError(
        "invalid_request", "give true, false, the name of a method, or an object"
    )


Explaining = Annotated[
    Explain | None,
    BeforeValidator(_in_full, json_schema_input_type=bool | ExplainMethod | Explain | None),
]
"""As requests have it: `true` is an `Explain` with its defaults, a method's name one with it."""


class TextSpan(WireModel):
    """Characters `start` (inclusive) to `end` (exclusive) of the text."""

    start: int
    end: int
    text: str


class WordWeight(TextSpan):
    """A word, or neighbouring ones, and how much they speak for the label; below 0 against it."""

    score: float


class Flip(WireModel):
    """A change that gives another answer, and what `classify` answers to the changed text.

    It is a small one, found by greedy search, not proven to be the smallest: `minimal` says that
    with any one of the removed words put back the answer stays what it was.
    """

    text: str
    """The text without `removed`."""
    removed: list[TextSpan]
    label: str | None
    """Null where the changed text gets no label."""
    score: float
    """Of the best label of the changed text."""
    minimal: bool


class Gradients(WireModel):
    """Integrated gradients: the label's logit, taken apart along a path from an empty text.

    The scores of `words` sum to `value - baseline`, but for `completeness_gap`.
    """

    words: list[WordWeight]
    value: float
    """The logit of the label for the text: log-odds where labels stand against each other."""
    baseline: float
    """The same with padding in the place of every token of the text."""
    completeness_gap: float
    """Sum of the scores - (value - baseline): 0 in exact arithmetic, with endless steps."""
    steps: int


class Explanation(WireModel):
    """Why a text got its label, as far as leaving out words tells.

    `words` tile the text but for its white space, in order. By occlusion the score of a word is
    what the label's score loses without it.
    """

    label: str
    """What is explained: the best label, or the one that was asked for."""
    method: ExplainMethod
    """Of `words`."""
    score: float
    """Of the label for the whole text."""
    words: list[WordWeight]
    word_count: int
    """Words of the text: where there are fewer `words`, neighbours were grouped."""
    flip: Flip | None = None
    """Null where none was asked for, or none was found within `flip_texts`."""
    flip_texts: int | None = None
    """How many changed texts the search for a flip looked at; null where it was not asked for."""
    gradients: Gradients | None = None

    @property
    def grouped(self) -> bool:
        """Whether some of `words` are several words."""
        return len(self.words) < self.word_count

    @property
    def completeness_gap(self) -> float | None:
        """Of the integrated gradients; None without them."""
        return None if self.gradients is None else self.gradients.completeness_gap

    def top(self, most: int = 5) -> list[WordWeight]:
        """The words that speak most for the label, those that speak against it left out."""
        ranked = sorted(self.words, key=lambda word: -word.score)
        return [word for word in ranked[:most] if word.score > 0]


class AttentionToken(WireModel):
    """A token as the vocabulary has it; `start` and `end` are null where it is not of the text."""

    token: str
    start: int | None = None
    end: int | None = None


class Attention(WireModel):
    """How much each token's vector takes from each other, by layer and head.

    A view of the model at work, not an explanation: heads that look at a word are no reason for a
    label (Jain and Wallace 2019, "Attention is not Explanation").
    """

    tokens: list[AttentionToken]
    layers: int
    heads: int
    weights: list[list[list[list[float]]]]
    """[layers, heads, from, to]: rows sum to 1 but for rounding to 4 digits."""
