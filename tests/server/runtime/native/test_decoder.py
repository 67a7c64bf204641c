"""Decoders on the kernels: near what transformers computes, and the same in any company."""

from __future__ import annotations

import os
import re
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
import torch

from llmaas_server.runtime.decoder import TorchDecoder
from llmaas_server.runtime.decoding import Decoder
from llmaas_server.runtime.grammar import Grammars
from llmaas_server.runtime.kernels.build import Instructions
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.loader import load
from llmaas_server.runtime.native.decoder import NativeDecoder, can_run
from llmaas_server.runtime.request import Finish, Generation, Sampling, Scoring
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support.decoders import decoder, drain, greedy, ids_of, prompt_of
from support.kernels import library
from support.native import SIZES, chunk_of, saved
from support.tiny_tokenizers import byte_level

IDS = tuple((7 * i + 3) % 320 for i in range(75))


def native(
    folder: Path, module: Any, instructions: Instructions = "native", blocks: int = 32
) -> NativeDecoder:
    made = NativeDecoder(folder, module.config, library(instructions), "auto", lambda share: None)
    made.reserve(blocks)
    return made


def divergence(reference: torch.Tensor, found: torch.Tensor) -> float:
    """Mean Kullback-Leibler divergence of the rows, in nats."""
    p, q = reference.float().log_softmax(-1), found.float().log_softmax(-1)
    return float((p.exp() * (p - q)).sum(-1).mean())


@pytest.mark.parametrize("instructions", ["native", "avx2", "portable"])
@pytest.mark.parametrize("family", ["Llama", "Qwen2", "Qwen3", "Mistral"])
def test_a_family_is_near_what_transformers_computes(
    tmp_path: Path, family: str, instructions: Instructions
) -> None:
    sizes = {"sliding_window": None} if family == "Mistral" else {}
    module = saved(tmp_path, family, **sizes)
    assert can_run(module.config)
    with torch.inference_mode():
        expected = module(input_ids=torch.tensor([IDS])).logits[0]

    found = native(tmp_path, module, instructions).logits([chunk_of(IDS, 2, 0, 75, True)])

    # What 8 bits cost a random model; a mistake in a layer gives a hundred times as much.
    assert divergence(expected, found) < 2e-3
    assert torch.nn.functional.cosine_similarity(expected, found).min() > 0.99


def test_all_instructions_compute_the_same(tmp_path: Path) -> None:
    module = saved(tmp_path)
    chunks = [chunk_of(IDS, 1, 0, 75, True)]
    first, *others = (
        native(tmp_path, module, instructions).logits(chunks)
        for instructions in ("native", "avx2", "portable")
    )
    for other in others:  # floats are summed in another order, and some activations round apart
        assert divergence(first, other) < 1e-4
        assert torch.allclose(first[0], other[0], atol=1e-4)


def test_a_row_does_not_depend_on_its_company(tmp_path: Path) -> None:
    module = saved(tmp_path)
    computed = native(tmp_path, module)
    whole = computed.logits([chunk_of(IDS, 0, 0, 75, True)])
    others = [chunk_of(IDS[9:50], first, 0, 41, False) for first in (12, 15, 18)]
    among = computed.logits([others[0], chunk_of(IDS, 7, 0, 75, True), *others[1:]])
    assert torch.equal(among[1:76], whole)


def test_chunks_are_as_the_whole(tmp_path: Path) -> None:
    module = saved(tmp_path)
    computed = native(tmp_path, module)
    whole = computed.logits([chunk_of(IDS, 0, 0, 75, True)])
    parts = [
        computed.logits([chunk_of(IDS, 8, start, stop, True)])
        for start, stop in ((0, 1), (1, 33), (33, 34), (34, 75))
    ]
    assert torch.equal(torch.cat(parts), whole)


def test_continuations_do_not_see_each_other(tmp_path: Path) -> None:
    module = saved(tmp_path)
    lane = GenerateLane(native(tmp_path, module), 512, WorkerOptions(device="cpu"))
    continuations = ((5, 6, 7), (8,), (9, 10, 11, 12), (5, 6, 8))
    [[together]] = drain(lane, [Scoring(IDS[:37], continuations)])
    alone = [drain(lane, [Scoring(IDS[:37], (one,))])[0][0][0] for one in continuations]
    assert [pytest.approx(one, abs=1e-5) for one in alone] == together


def test_the_lane_generates_alone_as_among_others(tmp_path: Path) -> None:
    module = saved(tmp_path)
    options = WorkerOptions(device="cpu", max_step_tokens=32)
    lane = GenerateLane(native(tmp_path, module), 512, options)
    works = [greedy(length) for length in (3, 60, 1, 17, 130, 9, 44, 28)]
    together = [ids_of(items) for items in drain(lane, works)]
    assert together == [ids_of(drain(lane, [work])[0]) for work in works]


def test_a_grammar_holds_whatever_is_drawn(tmp_path: Path) -> None:
    module = saved(tmp_path, vocab_size=512)  # the tokenizer has fewer
    lane = GenerateLane(native(tmp_path, module), 512, WorkerOptions(device="cpu"))
    tokenizer, stops = byte_level(), frozenset({2})
    grammar = Grammars(tokenizer.to_str, stops).compile("start: /[a-z]{3,6}/")
    works = [
        Generation(prompt_of(9), 20, Sampling(temperature=2.0, seed=seed), stops, grammar=grammar)
        for seed in range(20)
    ]
    found = drain(lane, works)
    texts = {tokenizer.decode(ids_of(items)) for items in found}
    assert all(re.fullmatch("[a-z]{3,6}", text) for text in texts)
    assert len(texts) > 1
    assert {items[-1].reason for items in found} == {Finish.STOP}


def test_a_successor_takes_over_when_nothing_runs(tmp_path: Path) -> None:
    module = saved(tmp_path)
    later: Future[Decoder] = Future()
    plain = TorchDecoder(module, torch.device("cpu"))
    lane = GenerateLane(plain, 512, WorkerOptions(device="cpu"), later)
    expected = [ids_of(items) for items in drain(lane, [greedy(20), greedy(9)])]
    for id, work in enumerate([greedy(20), greedy(9)]):
        lane.submit(Job(id, work, submitted=0.0))
    outputs = lane.step()
    later.set_result(native(tmp_path, module))
    lane.submit(Job(2, greedy(5), submitted=0.0))  # waits for the successor
    while lane.busy:
        assert 2 not in {output.job_id for output in outputs} or lane.decoder is later.result()
        outputs += lane.step()
    lane.check()
    found = [
        ids_of([item for output in outputs if output.job_id == id for item in output.items])
        for id in (0, 1)
    ]
    assert found == expected
    assert lane.decoder is later.result()


def test_room_that_nobody_uses_costs_no_memory(tmp_path: Path) -> None:
    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    if not Path("/proc/self/statm").exists():
        pytest.skip("memory is read from /proc, which this system has not")
    module = saved(tmp_path)
    computed = native(tmp_path, module)
    before, blocks = resident(), 1 << 16
    computed.reserve(blocks)
    assert blocks * computed.block_tokens * computed.bytes_per_token > 500e6
    assert resident() - before < 50e6


@pytest.mark.parametrize(
    "sizes",
    [
        {"hidden_size": 72},
        {"vocab_size": 321},
        {"hidden_act": "gelu"},
        {"rope_parameters": {"rope_type": "dynamic", "rope_theta": 1e4, "factor": 2.0}},
    ],
)
def test_what_the_kernels_cannot_compute_is_known(sizes: dict[str, Any]) -> None:
    assert not can_run(decoder(**{**SIZES, **sizes}).config)
    assert can_run(decoder(**SIZES).config)


def test_the_embedded_model_keeps_its_choices(chat_ref: ModelRef) -> None:
    """Against float32 on the same weights: a divergence within 0.01, the same best token."""
    model = load(chat_ref, WorkerOptions(device="cpu"), lambda share: None)
    text = "The history of bread begins long before writing. Grain was ground between stones,"
    ids = tuple(model.tokenizer.encode_chat([{"role": "user", "content": text}]))
    made = NativeDecoder(Path(chat_ref.path), model.config, library(), "auto", lambda share: None)
    made.reserve(256)
    found = made.logits([chunk_of(ids, 0, 0, len(ids), True)])
    with torch.inference_mode():
        expected = model.module(input_ids=torch.tensor([ids])).logits[0]
    assert divergence(expected, found) < 0.01
    assert (expected.argmax(-1) == found.argmax(-1)).float().mean() > 0.9
