from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import msgspec
import numpy as np
import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.runtime.request import Finish, Finished, Generation, Sampling, Token
from llmaas_server.seam.values import ModelRef
from support import tiny
from support.engines import OPTIONS, idle, until

GREEDY = Sampling(temperature=0.0)


@pytest.fixture(scope="module")
def llama(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return tiny.llama(tmp_path_factory.mktemp("llama"))


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> ModelRef:
    return tiny.embedder(tmp_path_factory.mktemp("embedder"))


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """With real lanes over small random models."""
    engine = create(OPTIONS)
    yield engine
    await asyncio.to_thread(engine.close)


def generation(length: int, max_tokens: int = 12, **options: Any) -> Generation:
    chance = random.Random(length)
    prompt = tuple(chance.randint(5, 200) for _ in range(length))
    return Generation(prompt, max_tokens, **{"sampling": GREEDY, **options})


async def collect(engine: Engine, model: Model, work: Generation) -> list[Token | Finished]:
    return [item async for item in engine.generate(model, work)]


# --- work ---------------------------------------------------------------------------------------


async def test_tokens_come_and_then_the_end(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    *tokens, end = await collect(engine, model, generation(9))
    assert len(tokens) == 12
    assert isinstance(end, Finished)
    assert (end.reason, end.prompt_tokens, end.completion_tokens) == (Finish.LENGTH, 9, 12)


async def test_many_at_once_are_as_one_after_another(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    works = [generation(length) for length in (40, 3, 17, 9, 70, 1)]
    together = await asyncio.gather(*(collect(engine, model, work) for work in works))
    for work, items in zip(works, together, strict=True):
        assert (await collect(engine, model, work))[:-1] == items[:-1]


async def test_a_seed_draws_the_same_in_any_company(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    work = generation(20, sampling=Sampling(temperature=1.5, top_p=0.9, seed=5))
    others = [generation(length, sampling=Sampling(seed=length)) for length in (30, 8, 15)]
    alone = await collect(engine, model, work)
    among = await asyncio.gather(*(collect(engine, model, one) for one in [*others, work]))
    assert among[-1][:-1] == alone[:-1]


async def test_every_lane_works_beside_the_others(
    engine: Engine, llama: ModelRef, embedder: ModelRef
) -> None:
    chat, encoder = await asyncio.gather(engine.load(llama), engine.load(embedder))
    answer, scores, vectors = await asyncio.gather(
        collect(engine, chat, generation(30, max_tokens=40)),
        engine.score(chat, [5, 6, 7], [[8], [9, 10]]),
        engine.embed(encoder, [[2, 5, 6, 3], [2, 7, 3]]),
    )
    assert len(answer) == 41
    assert [len(one) for one in scores] == [1, 2]
    assert all(score < 0 for one in scores for score in one)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)


async def test_a_short_job_does_not_wait_behind_a_long_answer(
    engine: Engine, llama: ModelRef, embedder: ModelRef
) -> None:
    chat, encoder = await engine.load(llama), await engine.load(embedder)
    seen: list[Token | Finished] = []
    embedded_after: list[int] = []
    async with aclosing(engine.generate(chat, generation(5, max_tokens=1500))) as stream:
        async for item in stream:
            seen.append(item)
            if len(seen) == 1:
                embedding = asyncio.create_task(engine.embed(encoder, [[2, 5, 3]]))
                embedding.add_done_callback(lambda _: embedded_after.append(len(seen)))
    await embedding
    assert embedded_after[0] < 750  # long before the answer of 1500 tokens ended


async def test_a_model_of_another_kind_is_refused(engine: Engine, embedder: ModelRef) -> None:
    model = await engine.load(embedder)
    with pytest.raises(Problem, match="of the kind encoder") as caught:
        await collect(engine, model, generation(5))
    assert caught.value.code == "model_cannot_do_task"


async def test_what_can_never_fit_fails_alone(llama: ModelRef) -> None:
    engine = create(msgspec.structs.replace(OPTIONS, kv_bytes=1 << 15))
    model = await engine.load(llama)
    fits, never = await asyncio.gather(
        collect(engine, model, generation(8, max_tokens=4)),
        collect(engine, model, generation(400, max_tokens=400)),
        return_exceptions=True,
    )
    await asyncio.to_thread(engine.close)
    assert isinstance(fits, list)
    assert isinstance(never, Problem)
    assert never.code == "out_of_memory"


@pytest.mark.parametrize(
    "work", [Generation((), 4), Generation((5,), 0)], ids=["no prompt", "no tokens"]
)
async def test_a_generation_that_means_nothing_is_an_error(
    engine: Engine, llama: ModelRef, work: Generation
) -> None:
    model = await engine.load(llama)
    with pytest.raises(ValueError, match="prompt"):
        engine.generate(model, work)


async def test_scoring_needs_a_prefix(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    with pytest.raises(ValueError, match="prefix"):
        await engine.score(model, [], [[5]])


# --- ends ---------------------------------------------------------------------------------------


async def test_closing_a_stream_stops_its_work(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    async with aclosing(engine.generate(model, generation(5, max_tokens=1900))) as stream:
        async for _ in stream:
            break
    await until(idle(engine))
    assert engine.progress() < 1000  # it was not generated to its end
    # The lane has checked its books when it fell idle, and works on.
    assert engine.failure is None
    assert len(await collect(engine, model, generation(5))) == 13


async def test_cancelling_a_task_stops_its_work(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    before = engine.progress()
    task = asyncio.create_task(collect(engine, model, generation(5, max_tokens=1900)))
    await until(lambda: engine.progress() > before + 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await until(idle(engine))
    assert engine.failure is None


async def test_a_deadline_ends_a_stream_in_the_middle(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    late = generation(5, max_tokens=1900, deadline=time.monotonic() + 0.2)
    with pytest.raises(Problem) as caught:
        await collect(engine, model, late)
    assert caught.value.code == "deadline_exceeded"
    await until(idle(engine))


async def test_a_deadline_that_is_over_computes_nothing(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    before = engine.progress()
    with pytest.raises(Problem) as caught:
        await engine.score(model, [5], [[6]], deadline=time.monotonic() - 1)
    assert caught.value.code == "deadline_exceeded"
    assert engine.progress() == before


async def test_a_reader_that_does_not_read_holds_nobody_up(engine: Engine, llama: ModelRef) -> None:
    model = await engine.load(llama)
    async with aclosing(engine.generate(model, generation(5, max_tokens=300))) as slow:
        await anext(slow)
        assert len(await collect(engine, model, generation(9))) == 13
        await until(idle(engine))
        assert len([item async for item in slow]) == 300  # all that it had not read


async def test_random_streams_and_cancels_leave_the_engine_whole(
    engine: Engine, llama: ModelRef
) -> None:
    model = await engine.load(llama)
    chance = random.Random(11)

    async def use(length: int, read: int) -> None:
        async with aclosing(engine.generate(model, generation(length))) as stream:
            async for _ in stream:
                read -= 1
                if read < 0:
                    return

    await asyncio.gather(
        *(use(chance.randint(1, 80), chance.choice([0, 1, 5, 99])) for _ in range(100))
    )
    await until(idle(engine))
    assert engine.failure is None


async def test_jobs_that_are_left_at_the_close_are_told(llama: ModelRef) -> None:
    engine = create(OPTIONS)
    model = await engine.load(llama)
    stream = engine.generate(model, generation(5, max_tokens=1900))
    await anext(stream)
    await asyncio.to_thread(engine.close)
    with pytest.raises(Problem) as caught:
        async for _ in stream:
            pass
    assert caught.value.code == "shutting_down"
    with pytest.raises(Problem):
        await collect(engine, model, generation(5))


# --- devices ------------------------------------------------------------------------------------


async def test_a_gpu_generates_what_the_cpu_does(llama: ModelRef) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no GPU")
    answers = []
    for device in ("cpu", "cuda"):
        engine = create(msgspec.structs.replace(OPTIONS, device=device))
        model = await engine.load(llama)
        answers.append((await collect(engine, model, generation(50)))[:-1])
        await asyncio.to_thread(engine.close)
    assert answers[0] == answers[1]
