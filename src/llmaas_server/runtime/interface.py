"""What tasks see of the runtime: tokens in, tokens out. No torch here.

`Engine` in `runtime.engine` is the implementation; tests of tasks bring small fakes.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from llmaas_server.seam.values import ModelRef

from .grammar import Grammar
from .request import (
    Attributed,
    Attribution,
    Finished,
    Generation,
    Place,
    Reading,
    Sampling,
    Token,
)

Floats = NDArray[np.float32]


class Tokenizer(Protocol):
    """Text to ids and back. Safe to call from several threads."""

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        """Ids of `text`, never truncated; `special` adds what the model expects around it.

        The text of a special token inside `text` is plain text: it never becomes that token.
        """

    def encode_pair(self, first: str, second: str) -> tuple[list[int], list[int]]:
        """Ids and token type ids of two texts as one sequence, for NLI models."""

    def places(self, first: str, second: str | None = None) -> list[Place]:
        """Where in `first` the tokens of `encode(first)`, or of `encode_pair`, come from."""

    @property
    def chat_template(self) -> str:
        """The text of the model's chat template; empty where it has none."""

    def added_id(self, name: str) -> int | None:
        """The id of a token that stands beside the vocabulary, as marks of templates do."""

    def encode_chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        thinking: bool = True,
    ) -> list[int]:
        """Ids of a conversation in the model's own chat template, ready for the answer.

        Messages and tools have the shape that templates expect; `thinking=False` asks those that
        can for an answer without thinking. No text of either can become a control token.
        Raises Problem `model_cannot_do_task` where the model has no chat template, and
        `invalid_request` where that refuses the messages.
        """

    def decode(self, ids: Sequence[int]) -> str:
        """Text of `ids`, without special tokens."""

    def stream(self) -> TextStream:
        """A decoder for ids that come one at a time."""

    def read(self, text: str) -> Reading:
        """How much of `text` the tokens say to the model."""


class TextStream(Protocol):
    """Ids in, valid pieces of text out; the pieces join to `Tokenizer.decode` of all ids."""

    def push(self, token_id: int) -> str:
        """The text that is certain now; empty while a character is incomplete."""

    def finish(self) -> str:
        """What is left; an incomplete character becomes U+FFFD."""


class Model(Protocol):
    """A resident model."""

    @property
    def ref(self) -> ModelRef: ...
    @property
    def tokenizer(self) -> Tokenizer: ...
    @property
    def context(self) -> int:
        """Most tokens of a sequence; for seq2seq of the source. Prompt and answer share it."""

    @property
    def max_completion(self) -> int:
        """Most tokens to generate: the context, or for seq2seq the decoder's own limit."""

    @property
    def stop_ids(self) -> frozenset[int]:
        """Tokens that end an answer."""

    @property
    def labels(self) -> tuple[str, ...]:
        """Names of the classes of a trained head, by index; empty where there is none."""

    @property
    def multi_label(self) -> bool:
        """Whether the classes of the head do not exclude each other
        (`problem_type: multi_label_classification`)."""

    @property
    def attention_heads(self) -> tuple[int, int] | None:
        """Layers, and heads of each, of a model that reads a text in one pass of an encoder; None
        for others. Gradients and attention are of these alone."""

    @property
    def sampling(self) -> Sampling:
        """The model's own generation defaults (generation_config.json)."""

    @property
    def source_prefix(self) -> str:
        """What an encoder-decoder was trained to find before a text to summarize, such as
        `summarize: `; empty where its files name nothing."""

    def grammar(self, text: str) -> Grammar:
        """A grammar of `llguidance` for the answers of this model. Takes up to a second: for
        threads. Raises Problem `invalid_request`, `unsupported_parameter`."""


class Runtime(Protocol):
    """The three lanes. Every method may raise Problem (`deadline_exceeded`, `out_of_memory`, …).

    Cancelling a call, or closing a generator, frees its work within one step.
    `deadline` is on the clock of time.monotonic().
    """

    async def load(self, ref: ModelRef) -> Model:
        """The model, loaded beside the step loop where it is not resident. Concurrent calls for
        one model share one load. Raises Problem `model_broken`, `model_has_no_head`,
        `out_of_memory`."""

    async def unload(self, name: str) -> None: ...

    def generate(
        self, model: Model, generation: Generation
    ) -> AsyncGenerator[Token | Finished, None]:
        """The generate lane, for decoder models: tokens as they come, then one `Finished`.

        For seq2seq models `prompt` is the source, and the tokens are the decoder's.
        """

    async def score(
        self,
        model: Model,
        prefix: Sequence[int],
        continuations: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> list[list[float]]:
        """Natural log-probability of each token of each continuation after one shared prefix."""

    async def embed(
        self,
        model: Model,
        sequences: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        """Mean-pooled unit vectors, [sequences, hidden]; each as if it were computed alone."""

    async def classify(
        self,
        model: Model,
        sequences: Sequence[tuple[Sequence[int], Sequence[int] | None]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        """Logits of the classification head, [sequences, labels].

        A sequence is its ids and, for pairs, its token type ids.
        """

    async def attribute(
        self,
        model: Model,
        attribution: Attribution,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Attributed:
        """Integrated gradients, for encoder and classifier models, in float32 whatever else they
        compute in.

        Raises Problem `model_cannot_do_task` where gradients do not reach the text: of an
        encoder-decoder, or of a family that looks tokens up elsewhere.
        """

    async def attention(
        self,
        model: Model,
        ids: Sequence[int],
        types: Sequence[int] | None,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        """Attention of an encoder or classifier, [layers, heads, from, to].

        Raises Problem `model_cannot_do_task` of an encoder-decoder, or of a family that gives
        none.
        """
