"""Decoding over pages is what the plain decoder does; graphs are what steps are without them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from llmaas_server.errors import Problem
from llmaas_server.runtime.cuda import attention
from llmaas_server.runtime.cuda.decoder import PagedDecoder
from llmaas_server.runtime.cuda.graphs import Recorded
from llmaas_server.runtime.cuda.step import Table
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Generation, Sampling, Scoring
from llmaas_server.seam.values import WorkerOptions
from support.decoders import (
    CONTEXT,
    decoder,
    drain,
    greedy,
    ids_of,
    lane_of,
    prompt_of,
    reference,
)

MIXED = (3, 60, 1, 17, 130, 300, 44)
CPU = torch.device("cpu")
OPTIONS = WorkerOptions(device="cpu", max_step_tokens=64, max_sequences=16)


class Recorder:
    """Records as a GPU does: what runs later sees the inputs alone, and overwrites its result."""

    def __init__(self) -> None:
        self.replays = 0

    def __call__(self, run: Callable[[], Tensor]) -> Recorded:
        out = run().clone()

        def replay() -> Tensor:
            self.replays += 1
            return out.copy_(run())

        return replay


def paged(module: Any, record: Recorder | None = None, **options: Any) -> GenerateLane:
    made = PagedDecoder(copy.deepcopy(module), CPU, 16, CONTEXT, record)
    return GenerateLane(made, CONTEXT, WorkerOptions(**{"device": "cpu", **options}))


@pytest.fixture(scope="module")
def module() -> Any:
    return decoder()


@pytest.mark.parametrize(
    ("family", "sizes"),
    [
        ("Llama", {}),
        ("Llama", {"num_key_value_heads": 4}),
        ("Mistral", {"sliding_window": 24}),
        ("Qwen3", {"head_dim": 16}),
    ],
)
@pytest.mark.parametrize("graphs", [False, True])
def test_many_together_are_what_transformers_generates_alone(
    family: str, sizes: dict[str, Any], graphs: bool
) -> None:
    module = decoder(family, **sizes)
    recorder = Recorder()
    lane = paged(module, recorder if graphs else None, max_step_tokens=64)
    works = [greedy(length) for length in MIXED]
    found = [ids_of(items) for items in drain(lane, works)]
    assert found == [reference(module, work.prompt, 12)[0] for work in works]
    assert (recorder.replays > 0) == graphs
    assert lane.kernels == "torch float32 pages" + (" graphs" if graphs else "")


def test_sampled_answers_are_those_of_the_plain_decoder(module: Any) -> None:
    works = [
        Generation(prompt_of(length), 10, Sampling(temperature=1.3, top_p=0.9, seed=length))
        for length in MIXED
    ]
    plain = drain(lane_of(copy.deepcopy(module)), works)
    assert [ids_of(items) for items in drain(paged(module, Recorder()), works)] == [
        ids_of(items) for items in plain
    ]


def test_branches_are_scored_as_by_the_plain_decoder(module: Any) -> None:
    work = Scoring(prompt_of(40), (prompt_of(3, seed=1), prompt_of(5, seed=2), prompt_of(1)))
    [[plain]] = drain(lane_of(copy.deepcopy(module)), [work])
    [[found]] = drain(paged(module, Recorder()), [work])
    for one, other in zip(found, plain, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_a_prefix_that_is_there_is_not_computed_again(module: Any) -> None:
    lane = paged(module, Recorder())
    work = greedy(300)
    [first] = drain(lane, [work])
    [second] = drain(lane, [work])
    assert ids_of(first) == ids_of(second)
    assert (first[-1].cached_tokens, second[-1].cached_tokens) == (0, 256)


def test_a_family_that_caps_its_scores_is_refused() -> None:
    gemma = decoder("Gemma2", head_dim=8, attn_logit_softcapping=5.0, sliding_window=1024)
    with pytest.raises(Problem, match="softcap"):
        PagedDecoder(gemma, CPU, 16, CONTEXT)


def test_a_device_that_cannot_record_launches_step_by_step(
    module: Any, caplog: pytest.LogCaptureFixture
) -> None:
    def record(run: Callable[[], Tensor]) -> Recorded:
        raise RuntimeError("operation not permitted when stream is capturing")

    made = PagedDecoder(copy.deepcopy(module), CPU, 16, CONTEXT, record)
    lane = GenerateLane(made, CONTEXT, OPTIONS)
    [items] = drain(lane, [greedy(17)])
    assert ids_of(items) == reference(module, prompt_of(17), 12)[0]
    assert "launched one by one" in caplog.text


def random_table(generator: torch.Generator, device: torch.device) -> tuple[Table, int]:
    """Chunks of several kinds over pages in any order."""
    used, rows = [5, 256, 700, 31], [1, 3, 40, 31]
    order = torch.randperm(8, generator=generator)
    blocks = torch.zeros(4, 3, dtype=torch.int32)
    blocks[0, 0], blocks[1, 0], blocks[2], blocks[3, 0] = order[0], order[1], order[2:5], order[5]
    starts = torch.tensor([0, 1, 4, 44, 75], dtype=torch.int32)
    table = Table(
        starts.to(device),
        torch.tensor(used, dtype=torch.int32, device=device),
        blocks.to(device),
        max(rows),
        max(used),
    )
    return table, sum(rows)


@pytest.mark.parametrize("window", [None, 20])
@pytest.mark.parametrize("kv_heads", [2, 8])
def test_the_kernel_of_a_gpu_is_the_plain_one(window: int | None, kv_heads: int) -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    device = torch.device("cuda")
    generator = torch.Generator().manual_seed(0)
    table, rows = random_table(generator, device)
    query = torch.randn(rows, 8, 64, generator=generator).to(device, torch.bfloat16)
    keys, values = (
        torch.randn(8, 256, kv_heads, 64, generator=generator).to(device, torch.bfloat16)
        for _ in range(2)
    )
    found = attention.varlen(query, keys, values, table, None, window)
    expected = attention.plain(query, keys, values, table, None, window)
    torch.testing.assert_close(found.float(), expected.float(), atol=2e-2, rtol=2e-2)


def test_graphs_on_a_gpu_are_steps_without_them() -> None:
    if not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    device = torch.device("cuda")
    module = decoder(hidden_size=256, head_dim=64, initializer_range=0.05).to(
        device, torch.bfloat16
    )
    works = [greedy(length) for length in MIXED]
    found = []
    for record in (None, lambda run: run):
        made = PagedDecoder(copy.deepcopy(module), device, 16, CONTEXT, record)
        lane = GenerateLane(made, CONTEXT, WorkerOptions(max_step_tokens=64))
        found.append([ids_of(items) for items in drain(lane, works)])
    same = sum(a == b for x, y in zip(*found, strict=True) for a, b in zip(x, y, strict=False))
    assert same >= 0.8 * sum(map(len, found[0]))
