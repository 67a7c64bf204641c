"""Summaries that the small chat model writes: how many, how long, how often the text supports them.

Needs --eval-data, with the sets bbc, scitldr and dialogsum. ROUGE is not measured: support says
more of a model that makes things up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.seam.values import Result
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.summarize import TASK

from .figures import Figure, note, publish
from .formats import DEFAULT, ref, worker_options
from .options import CHAT_MODEL, EMBED_MODEL, Options, parse
from .texts import read_rows

NAME = "written"
DOCUMENTS = 40
"""Of each set, spread over all of it."""
SENTENCES = 4
"""Of length=medium."""
SETS = {
    "news": ("bbc/bbc_topics.jsonl.gz", "text"),
    "abstracts": ("scitldr/scitldr_a_test.jsonl.gz", "document"),
    "dialogues": ("dialogsum/dialogsum_test500.jsonl.gz", "document"),
}


@dataclass(frozen=True, slots=True)
class Writers:
    engine: Engine
    writer: Model
    embedder: Model


def measure(options: Options) -> list[Figure]:
    if options.eval_data is None:
        note("written summaries are left out: they need --eval-data")
        return []
    return asyncio.run(_measure(options, options.eval_data))


async def _measure(options: Options, data: Path) -> list[Figure]:
    figures: list[Figure] = []
    engine = create(worker_options(DEFAULT, options.threads, options.kernels))
    try:
        writers = Writers(
            engine,
            await engine.load(ref(options.cache, CHAT_MODEL)),
            await engine.load(ref(options.cache, EMBED_MODEL)),
        )
        for name, (path, field) in SETS.items():
            texts = _spread(
                [row[field] for row in read_rows(data / path)], 3 if options.quick else DOCUMENTS
            )
            note(f"{name}: {len(texts)} documents")
            figures += _figures(name, [await _summary(writers, text) for text in texts])
    finally:
        await asyncio.to_thread(engine.close)
    return figures


async def _summary(writers: Writers, text: str) -> dict[str, Any]:
    request = SummarizeRequest(text=text, method="abstractive")
    prompt = TASK.prompt(request, writers.writer, writers.embedder)
    async for event in TASK.run(prompt, writers.writer, writers.engine, Caller(tenant=NAME)):
        if isinstance(event, Result):
            return event.body
    raise RuntimeError("a summary ended without a result")


def _figures(name: str, summaries: Sequence[dict[str, Any]]) -> Iterator[Figure]:
    counts = [len(summary["sentences"]) for summary in summaries]
    unsupported = sum(summary["unsupported"] for summary in summaries)
    near = sum(abs(count - SENTENCES) <= 1 for count in counts)
    yield Figure(f"{name}: sentences of a summary", CHAT_MODEL, sum(counts) / len(counts), 1)
    yield Figure(f"{name}: within one sentence, %", CHAT_MODEL, 100 * near / len(counts), 1)
    yield Figure(
        f"{name}: sentences not supported, %", CHAT_MODEL, 100 * unsupported / sum(counts), 1
    )


def _spread(texts: Sequence[str], most: int) -> list[str]:
    return [texts[len(texts) * i // most] for i in range(most)]


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
