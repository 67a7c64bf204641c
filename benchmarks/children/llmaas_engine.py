"""Our own runtime: prompts, vectors, and tenants that share it."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.children import Answer, serve
from benchmarks.formats import ref, worker_options
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.request import Generation, Sampling, Token

GREEDY = Sampling(temperature=0.0)


def make(settings: dict[str, Any]) -> Answer:
    cache = Path(settings["cache"])
    options = worker_options(settings["format"], settings["threads"], cache / "kernels")
    engine = create(options)
    runner = asyncio.Runner()
    model = runner.run(engine.load(ref(cache, settings["model"])))

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        match question.pop("do"):
            case "tokenize":
                return {"ids": [model.tokenizer.encode(text) for text in question["texts"]]}
            case "prefill":
                return runner.run(_prefill(engine, model, question["ids"]))
            case "embed":
                return runner.run(_embed(engine, model, question["ids"]))
            case "embed_texts":
                return runner.run(_embed_texts(engine, model, question["texts"]))
            case "share":
                return runner.run(_share(engine, model, **question))
            case other:
                raise ValueError(f"no question {other!r}")

    return answer


async def _prefill(engine: Engine, model: Model, ids: list[int]) -> dict[str, Any]:
    started = time.perf_counter()
    async for _ in engine.generate(model, Generation(tuple(ids), 1, GREEDY)):
        pass
    return {"seconds": time.perf_counter() - started}


async def _embed(engine: Engine, model: Model, ids: list[list[int]]) -> dict[str, Any]:
    started = time.perf_counter()
    vectors = await engine.embed(model, ids)
    return {"seconds": time.perf_counter() - started, "vectors": vectors.tolist()}


async def _embed_texts(engine: Engine, model: Model, texts: list[str]) -> dict[str, Any]:
    started = time.perf_counter()
    vectors = await engine.embed(model, [model.tokenizer.encode(text) for text in texts])
    return {"seconds": time.perf_counter() - started, "vectors": vectors.tolist()}


async def _share(
    engine: Engine, model: Model, prompt: list[int], streams: dict[str, int], seconds: float
) -> dict[str, Any]:
    """Tokens that each tenant got within the seconds; `streams` of each never stop asking."""
    tokens: Counter[str] = Counter()
    end = time.perf_counter() + seconds

    async def ask(tenant: str, number: int) -> None:
        own = tuple(prompt[number:] + prompt[:number])  # no prefix in common
        while time.perf_counter() < end:
            generation = Generation(own, 64, GREEDY, tenant=tenant)
            async for item in engine.generate(model, generation):
                tokens[tenant] += isinstance(item, Token) and time.perf_counter() < end

    async with asyncio.TaskGroup() as group:
        for tenant, count in streams.items():
            for number in range(count):
                group.create_task(ask(tenant, number))
    return {"tokens": dict(tokens)}


if __name__ == "__main__":
    serve(make)
