"""A runtime without a model, for tests of tasks: one token per character, answers by the test."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from llmaas_server.errors import Problem
from llmaas_server.runtime.grammar import Grammar
from llmaas_server.runtime.interface import Floats, Model, TextStream
from llmaas_server.runtime.request import (
    Attributed,
    Attribution,
    Finish,
    Finished,
    Generation,
    Place,
    Reading,
    Sampling,
    Token,
)
from llmaas_server.seam.values import ModelKind, ModelRef

START, END, TURN = 1, 2, 3
STOP_ID = 0
_CONTROLS = frozenset((STOP_ID, START, END, TURN))
DIMENSIONS = 256
DEFAULTS = Sampling(temperature=0.7, top_p=0.9)


UNREAD = "□▯"
"""Characters that say nothing to a model of tests."""


class CharacterStream:
    def push(self, token_id: int) -> str:
        return "" if token_id in _CONTROLS else chr(token_id)

    def finish(self) -> str:
        return ""


class CharacterTokenizer:
    """The id of a character is its code point; below 4 are control tokens."""

    def encode(self, text: str, *, special: bool = True) -> list[int]:
        ids = [ord(character) for character in text]
        return [START, *ids, END] if special else ids

    def encode_pair(self, first: str, second: str) -> tuple[list[int], list[int]]:
        left, right = self.encode(first), [*self.encode(second, special=False), END]
        return left + right, [0] * len(left) + [1] * len(right)

    chat_template = ""

    def added_id(self, name: str) -> int | None:
        return None

    def encode_chat(
        self,
        messages: Sequence[Mapping[str, Any]],
        *,
        tools: Sequence[Mapping[str, Any]] = (),
        thinking: bool = True,
    ) -> list[int]:
        turns = [[TURN, *map(ord, f"{m['role']}\n{m['content']}")] for m in messages]
        return [token for turn in turns for token in turn] + [TURN]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(id) for id in ids if id not in _CONTROLS)

    def stream(self) -> TextStream:
        return CharacterStream()

    def places(self, first: str, second: str | None = None) -> list[Place]:
        inside = [Place(character, i, i + 1) for i, character in enumerate(first)]
        rest = [] if second is None else [*second, "[END]"]
        outside = [Place(token, None, None) for token in ("[START]", "[END]", *rest)]
        return [outside[0], *inside, *outside[1:]]

    def read(self, text: str) -> Reading:
        return Reading(len(text), sum(character in UNREAD for character in text))


@dataclass(frozen=True)
class FakeModel:
    ref: ModelRef
    context: int = 4096
    max_completion: int = 4096
    labels: tuple[str, ...] = ()
    multi_label: bool = False
    attention_heads: tuple[int, int] | None = None
    sampling: Sampling = DEFAULTS
    source_prefix: str = ""
    stop_ids: frozenset[int] = frozenset({STOP_ID})
    tokenizer: CharacterTokenizer = field(default_factory=CharacterTokenizer)

    def grammar(self, text: str) -> Grammar:
        raise Problem("unsupported_parameter", "a model without tokens cannot follow a grammar")


def fake_model(
    kind: ModelKind = "encoder",
    *,
    embeds: bool | None = None,
    context: int = 4096,
    max_completion: int | None = None,
    labels: tuple[str, ...] = (),
    multi_label: bool = False,
) -> FakeModel:
    sentence_embeddings = kind == "encoder" if embeds is None else embeds
    return FakeModel(
        ModelRef(f"fake-{kind}", "/nowhere", kind, sentence_embeddings),
        context=context,
        max_completion=max_completion or context,
        labels=labels,
        multi_label=multi_label,
        attention_heads=(2, 3) if kind in ("encoder", "classifier") else None,
    )


def bag_of_words(text: str) -> Floats:
    """A unit vector per text: texts are as near as the words that they share."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    for word in re.findall(r"\w+", text.lower()) or [text]:
        digest = hashlib.blake2b(word.encode("utf-8", "surrogatepass"), digest_size=4).digest()
        vector[int.from_bytes(digest, "big") % DIMENSIONS] += 1.0
    return vector / np.linalg.norm(vector)


@dataclass
class FakeRuntime:
    """Records what it was asked; `reply`, `logits` and `logprobs` say what comes back."""

    reply: Callable[[str], str] = lambda prompt: "An answer."
    logits: Callable[[str], Sequence[float]] = lambda text: (0.0, 0.0)
    logprobs: Callable[[str, str], float] = lambda prefix, continuation: -1.0
    hold: asyncio.Event | None = None
    """Where set, a generation waits for it after its first token."""
    generations: list[Generation] = field(default_factory=list)
    embedded: list[list[tuple[int, ...]]] = field(default_factory=list)
    attributed: list[Attribution] = field(default_factory=list)
    refusal: Problem | None = None
    """Where set, what gradients meet."""
    running: int = 0
    most_running: int = 0
    tokenizer: CharacterTokenizer = field(default_factory=CharacterTokenizer)

    async def load(self, ref: ModelRef) -> Model:
        raise NotImplementedError("tasks are given their model")

    async def unload(self, name: str) -> None:
        raise NotImplementedError("tasks are given their model")

    async def generate(
        self, model: Model, generation: Generation
    ) -> AsyncGenerator[Token | Finished, None]:
        self.generations.append(generation)
        assert model.ref.kind == "seq2seq" or (
            len(generation.prompt) + generation.max_tokens <= model.context
        )
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            ids = [ord(c) for c in self.reply(self.tokenizer.decode(generation.prompt))]
            for count, id in enumerate(ids[: generation.max_tokens]):
                await asyncio.sleep(0)
                if self.hold is not None and count == 1:
                    await self.hold.wait()
                yield self._token(id, generation)
            length = len(ids) > generation.max_tokens
            yield Finished(
                reason=Finish.LENGTH if length else Finish.STOP,
                prompt_tokens=len(generation.prompt),
                cached_tokens=0,
                completion_tokens=min(len(ids), generation.max_tokens),
                queue_s=0.001,
                prefill_s=0.002,
                decode_s=0.003,
            )
        finally:
            self.running -= 1

    def _token(self, id: int, generation: Generation) -> Token:
        if generation.top_logprobs is None:
            return Token(id)
        top = tuple((id + i, -0.5 - i) for i in range(generation.top_logprobs))
        return Token(id, -0.5, top)

    async def score(
        self,
        model: Model,
        prefix: Sequence[int],
        continuations: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> list[list[float]]:
        read = self.tokenizer.decode
        totals = [self.logprobs(read(prefix), read(ids)) for ids in continuations]
        return [
            [total / len(ids)] * len(ids) for total, ids in zip(totals, continuations, strict=True)
        ]

    async def embed(
        self,
        model: Model,
        sequences: Sequence[Sequence[int]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        assert all(len(ids) <= model.context for ids in sequences)
        self.embedded.append([tuple(ids) for ids in sequences])
        return np.stack([bag_of_words(self.tokenizer.decode(ids)) for ids in sequences])

    async def classify(
        self,
        model: Model,
        sequences: Sequence[tuple[Sequence[int], Sequence[int] | None]],
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        texts = [self.tokenizer.decode(ids) for ids, _ in sequences]
        return np.array([self.logits(text) for text in texts], dtype=np.float32)

    async def attribute(
        self,
        model: Model,
        attribution: Attribution,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Attributed:
        """As if the readout were a sum over the tokens, with as many parts as there are."""
        self.attributed.append(attribution)
        if self.refusal is not None:
            raise self.refusal
        value = self._read_out(attribution)
        share = value / max(sum(attribution.replaced), 1)
        return Attributed(np.array(attribution.replaced) * share, value, 0.0)

    def _read_out(self, attribution: Attribution) -> float:
        text = self.tokenizer.decode(attribution.ids)
        readout = attribution.readout
        scores = np.array(self.logits(text))
        if readout.weights is not None:
            scores = readout.weights @ bag_of_words(text)
            scores = scores if readout.bias is None else scores + readout.bias
        against = scores[list(readout.against)]
        rest = np.logaddexp.reduce(against) if len(against) else 0.0
        return float(scores[readout.chosen] - rest)

    async def attention(
        self,
        model: Model,
        ids: Sequence[int],
        types: Sequence[int] | None,
        *,
        tenant: str = "",
        deadline: float | None = None,
    ) -> Floats:
        """Two layers of three heads that look everywhere alike."""
        return np.full((2, 3, len(ids), len(ids)), 1 / len(ids), dtype=np.float32)
