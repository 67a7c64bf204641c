"""Embed: texts as unit vectors."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from llmaas_client.wire import embed as wire
from llmaas_server.errors import context_overflow
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .base import Caller
from .meter import Meter
from .vectors import embed_all, need_sentence_embeddings


@dataclass(frozen=True, slots=True)
class EmbedPrompt:
    sequences: tuple[tuple[int, ...], ...]

    @property
    def prompt_tokens(self) -> int:
        return sum(len(ids) for ids in self.sequences)

    @property
    def max_completion_tokens(self) -> int:
        return 0


class Embed:
    spec = wire.SPEC

    def prompt(
        self, request: wire.EmbedRequest, model: Model, embedder: Model | None
    ) -> EmbedPrompt:
        need_sentence_embeddings(model)
        texts = [request.text] if isinstance(request.text, str) else request.text
        sequences = tuple(tuple(model.tokenizer.encode(text)) for text in texts)
        for index, ids in enumerate(sequences):
            if len(ids) > model.context:
                # One text has no number that its caller knows of.
                what = "the text" if isinstance(request.text, str) else f"text[{index}]"
                raise context_overflow(len(ids), model.context, what)
        return EmbedPrompt(sequences)

    async def run(
        self, prompt: EmbedPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        vectors = await embed_all(prompt.sequences, model, runtime, caller, meter)
        yield meter.result({"embeddings": vectors.tolist()})


TASK = Embed()
