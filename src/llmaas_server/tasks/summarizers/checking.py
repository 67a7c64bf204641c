"""Whether the source says what a model wrote: each sentence with its spans and its support."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.grounding.check import check, most_tokens
from llmaas_server.tasks.grounding.evidence import Grounds
from llmaas_server.tasks.meter import Meter

from .draft import Draft
from .extractive import ExtractivePrompt, SourceVectors


@dataclass(frozen=True, slots=True)
class Checking:
    """Of a summary that is not written yet. `source` is what it is held against."""

    source: ExtractivePrompt
    embedder: Model
    strict: bool

    @property
    def prompt_tokens(self) -> int:
        """Most tokens that the model of sentence vectors reads."""
        return self.source.prompt_tokens + most_tokens(self.source.shape.sentences, self.embedder)

    async def check(
        self,
        draft: Draft,
        vectors: SourceVectors,
        runtime: Runtime,
        caller: Caller,
        meter: Meter,
    ) -> Draft:
        """The draft with what was found; `strict`: the supported sentences alone."""
        source = self.source
        grounds = await asyncio.to_thread(
            Grounds, source.documents, source.sentences, vectors.sentences
        )
        found = await check(draft.sentences, grounds, self.embedder, runtime, caller, meter)
        checked = Draft(draft.sentences, tuple(found))
        return checked.supported() if self.strict else checked
