from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import pytest
import torch

from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Scoring
from support.decoders import decoder, drain, greedy, ids_of, lane_of, prompt_of

LENGTHS = (1, 3, 2, 9, 1, 5, 40, 4)


@pytest.fixture(scope="module")
def module() -> Any:
    return decoder()


@pytest.fixture
def lane(module: Any) -> GenerateLane:
    return lane_of(copy.deepcopy(module), max_step_tokens=16)


@torch.inference_mode()
def whole_forward(module: Any, prefix: Sequence[int], tokens: Sequence[int]) -> list[float]:
    logits = module(torch.tensor([[*prefix, *tokens]])).logits[0].log_softmax(-1)
    first = len(prefix) - 1
    return [float(logits[first + at, token]) for at, token in enumerate(tokens)]


def scoring_of(prefix: int, lengths: Sequence[int]) -> Scoring:
    continuations = tuple(prompt_of(length, seed=at + 1) for at, length in enumerate(lengths))
    return Scoring(prompt_of(prefix), continuations)


@pytest.mark.parametrize("prefix", [1, 15, 16, 17, 50])
def test_scores_are_those_of_a_whole_forward(lane: GenerateLane, module: Any, prefix: int) -> None:
    work = scoring_of(prefix, LENGTHS)
    [[scores]] = drain(lane, [work])
    for found, tokens in zip(scores, work.continuations, strict=True):
        assert found == pytest.approx(whole_forward(module, work.prefix, tokens), abs=1e-4)


def test_scores_respect_a_sliding_window() -> None:
    module = decoder("Mistral", sliding_window=7)
    work = scoring_of(20, LENGTHS)
    [[scores]] = drain(lane_of(copy.deepcopy(module), max_step_tokens=16), [work])
    for found, tokens in zip(scores, work.continuations, strict=True):
        assert found == pytest.approx(whole_forward(module, work.prefix, tokens), abs=1e-4)


def test_the_prefix_is_computed_once(lane: GenerateLane) -> None:
    """100 labels of 2 tokens after 64: 64 + 100 tokens to compute, not 100 * 65."""
    lane.submit(Job(0, scoring_of(64, (2,) * 100), 0.0))
    steps = 0
    while lane.busy:
        lane.step()
        steps += 1
    # Waves of 16 tokens; the first one fills up the step that ends the prefix.
    assert steps <= (64 + 100) // 16 + 2


def test_scoring_runs_beside_generation(lane: GenerateLane) -> None:
    work = scoring_of(30, LENGTHS)
    [[alone]] = drain(lane, [work])
    [answer_alone] = drain(lane, [greedy(25)])
    answer, [scores] = drain(lane, [greedy(25), work])
    assert ids_of(answer) == ids_of(answer_alone)
    for one, other in zip(scores, alone, strict=True):
        assert one == pytest.approx(other, abs=1e-5)


@pytest.mark.parametrize("lengths", [(), (0,), (0, 2)])
def test_what_is_empty_has_empty_scores(lane: GenerateLane, lengths: tuple[int, ...]) -> None:
    [[scores]] = drain(lane, [scoring_of(5, lengths)])
    assert [len(score) for score in scores] == list(lengths)


def test_an_abort_between_waves_frees_everything(lane: GenerateLane) -> None:
    lane.submit(Job(3, scoring_of(10, (9,) * 20), 0.0))
    for _ in range(4):
        lane.step()
    lane.abort(3)
    assert not lane.busy
    lane.check()
