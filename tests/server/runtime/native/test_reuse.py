"""On the kernels, what is reused, taken back or guessed changes no bit of an answer."""

from __future__ import annotations

from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.native.decoder import NativeDecoder
from llmaas_server.runtime.request import Finished, Generation, Sampling, Token
from llmaas_server.seam.values import WorkerOptions
from support.decoders import GREEDY, drain, prompt_of
from support.kernels import library
from support.native import saved

LOOP = (11, 12, 13, 14, 15, 16, 17) * 6


@pytest.fixture
def decoder(tmp_path: Path) -> NativeDecoder:
    module = saved(tmp_path)
    return NativeDecoder(tmp_path, module.config, library(), "auto", lambda share: None)


def lane_of(decoder: NativeDecoder, **options: Any) -> GenerateLane:
    """With a cache of its own, in which nothing is."""
    return GenerateLane(decoder, 512, WorkerOptions(device="cpu", **options))


def tokens_of(items: list[Any]) -> list[Token]:
    """With their log-probabilities: they tell of any bit that is not the same."""
    return [item for item in items if isinstance(item, Token)]


def work_of(prompt: tuple[int, ...], tokens: int = 24, sampling: Sampling = GREEDY) -> Generation:
    return Generation(prompt, tokens, sampling, top_logprobs=3)


def test_a_known_beginning_gives_the_same_bits(decoder: NativeDecoder) -> None:
    lane = lane_of(decoder, max_step_tokens=32)
    for length in (16, 33, 100):
        work = work_of(prompt_of(length))
        [first], [again] = drain(lane, [work]), drain(lane, [work])
        end = again[-1]
        assert isinstance(end, Finished)
        assert end.cached_tokens == (length - 1) // 16 * 16
        assert tokens_of(again) == tokens_of(first)


def test_what_is_taken_back_gives_the_same_bits(
    decoder: NativeDecoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    hot = [Sampling(temperature=1.0, top_p=0.9, seed=seed) for seed in range(4)]
    works = [
        work_of(prompt_of(10, seed), 60, sampling)
        for seed, sampling in enumerate([GREEDY] * 4 + hot)
    ]
    ample = drain(lane_of(decoder), works)
    lane = lane_of(decoder, kv_bytes=160 * decoder.bytes_per_token, max_step_tokens=32)
    preempted: list[int] = []
    take_back = lane._scheduler.preempt

    def note(sequence: Any) -> None:
        preempted.append(sequence.id)
        take_back(sequence)

    monkeypatch.setattr(lane._scheduler, "preempt", note)
    tight = drain(lane, works)
    assert preempted, "nothing was taken back: the test tests nothing"
    assert [tokens_of(items) for items in tight] == [tokens_of(items) for items in ample]


@pytest.mark.parametrize("temperature", [0.0, 0.2])
def test_guesses_give_the_same_bits(
    decoder: NativeDecoder, temperature: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Of four tokens at most: answers repeat themselves, and some guesses are right.
    work = work_of(LOOP, 64, Sampling(temperature=temperature, top_k=4, seed=3))
    guessed = step_by_step(lane_of(decoder), work)
    with monkeypatch.context() as patch:
        patch.setattr("llmaas_server.runtime.scheduler.VERIFIED", 0)
        plain = step_by_step(lane_of(decoder), work)
    assert max(map(len, guessed)) > 1, "no guess was right: the test tests nothing"
    assert max(map(len, plain)) == 1
    assert [*chain.from_iterable(guessed)] == [*chain.from_iterable(plain)]


def step_by_step(lane: GenerateLane, work: Generation) -> list[list[Token]]:
    """The tokens of each step."""
    lane.submit(Job(0, work, 0.0))
    steps = []
    while lane.busy:
        outputs = lane.step()
        steps.append([token for output in outputs for token in tokens_of(output.items)])
    return steps
