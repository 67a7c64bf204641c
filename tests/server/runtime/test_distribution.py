from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers.generation import logits_process as processors

from llmaas_server.runtime import distribution as drawing
from llmaas_server.runtime.cuda import sampling as tensors
from llmaas_server.runtime.distribution import distribution, draw
from llmaas_server.runtime.draw import Draw
from llmaas_server.runtime.request import Sampling
from llmaas_server.runtime.sampler import sample

VOCABULARY = 10_007
"""Large enough for all short cuts, and no multiple of anything."""

SEEN = (5, 9, 9, 100)

SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.7),
    Sampling(top_k=1),
    Sampling(top_k=50),
    Sampling(top_k=5000),
    Sampling(top_k=VOCABULARY),
    Sampling(top_p=0.9),
    Sampling(top_p=0.01),
    Sampling(top_p=0.999),
    Sampling(min_p=0.05),
    Sampling(min_p=1.0),
    Sampling(temperature=1.5, top_k=200, top_p=0.8, min_p=0.02),
    Sampling(temperature=0.8, top_p=0.95, repetition_penalty=1.3),
]
NUMBERS = [0.0, 1e-9, *np.linspace(0.001, 0.999, 41).tolist(), float(np.nextafter(1.0, 0.0))]


def scores_of(scale: float, seed: int = 0, size: int = VOCABULARY) -> drawing.Row:
    return np.random.default_rng(seed).normal(scale=scale, size=size).astype(np.float32)


def plain(scores: drawing.Row, sampling: Sampling) -> torch.Tensor:
    """Probabilities of the whole vocabulary, by the logits processors of transformers."""
    chain: list[Any] = []
    if sampling.repetition_penalty != 1:
        chain.append(processors.RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    if sampling.temperature != 1:
        chain.append(processors.TemperatureLogitsWarper(sampling.temperature))
    if sampling.top_k:
        chain.append(processors.TopKLogitsWarper(sampling.top_k))
    if sampling.top_p < 1:
        chain.append(processors.TopPLogitsWarper(sampling.top_p))
    if sampling.min_p:
        chain.append(processors.MinPLogitsWarper(sampling.min_p))
    filtered = torch.from_numpy(scores)[None].clone()
    for processor in chain:
        filtered = processor(torch.tensor([SEEN]), filtered)
    return filtered[0].double().softmax(-1)


def drawn(scores: drawing.Row, sampling: Sampling, number: float) -> int:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(drawing, "uniform", lambda seed, count: number)
        token = draw(scores, Draw(sampling, 0, 0, SEEN))
    assert token is not None
    return token


# From one token that has it all to a nucleus that is most of the vocabulary.
@pytest.mark.parametrize("scale", [10.0, 3.0, 1.0, 0.1])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_what_is_left_is_what_transformers_leaves(sampling: Sampling, scale: float) -> None:
    scores = scores_of(scale)
    before = scores.copy()
    expected = plain(scores, sampling)
    penalized = drawing._penalize(scores, SEEN, sampling.repetition_penalty)
    ids, weights = distribution(penalized, sampling)
    found = np.zeros(VOCABULARY)
    found[slice(None) if ids is None else ids] = weights / weights.sum(dtype=np.float64)
    torch.testing.assert_close(torch.from_numpy(found), expected, rtol=1e-5, atol=1e-12)
    assert np.array_equal(scores, before)


@pytest.mark.parametrize("scale", [3.0, 0.1])
@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_number_falls_into_the_share_of_its_token(sampling: Sampling, scale: float) -> None:
    scores = scores_of(scale, seed=1)
    ends = plain(scores, sampling).cumsum(0)
    for number in NUMBERS:
        token = drawn(scores, sampling, number)
        begin = float(ends[token - 1]) if token else 0.0
        assert begin - 1e-6 <= number <= float(ends[token]) + 1e-6
        assert float(ends[token]) > begin, "a token that was filtered out"


def test_rows_and_tensors_draw_the_same() -> None:
    """Greedy or not, with masks, and rows that are not numbers."""
    chances = np.random.default_rng(5).random(VOCABULARY - 3)
    masks = [None, chances < 0.001, chances < 0.4, chances < 0.9]
    draws = [
        Draw(sampling, seed, 3, SEEN, None, chosen)
        for seed, sampling in enumerate([*SAMPLINGS, Sampling(temperature=0)])
        for chosen in masks
    ]
    logits = torch.from_numpy(np.stack([scores_of(3.0, seed) for seed in range(len(draws))]))
    logits[7, 77] = torch.nan
    logits[8, 78] = torch.inf
    rows = sample(logits, draws)
    assert rows == tensors.sample(logits, draws)
    assert [at for at, token in enumerate(rows) if token is None] == [7, 8]


def test_a_row_of_a_large_vocabulary_is_drawn_alike_in_company() -> None:
    logits = torch.from_numpy(np.stack([scores_of(2.0, seed, 50_000) for seed in range(4)]))
    draws = [Draw(Sampling(top_p=0.9), seed, 0, ()) for seed in range(4)]
    alone = [sample(logits[at : at + 1], [one])[0] for at, one in enumerate(draws)]
    assert sample(logits, draws) == alone


def test_tokens_as_likely_as_the_last_that_stays_stay_too() -> None:
    scores = np.zeros(200, dtype=np.float32)
    scores[:3] = 5.0
    for sampling in (Sampling(top_k=2), Sampling(top_p=0.4)):
        ids, weights = distribution(scores, sampling)
        assert ids is not None
        assert ids.tolist() == [0, 1, 2]
        assert weights.tolist() == [1.0, 1.0, 1.0]


def test_the_last_number_never_leads_beyond_the_last_token() -> None:
    scores = np.full(1000, -np.inf, dtype=np.float32)
    scores[300:600] = scores_of(1.0, size=300)
    assert drawn(scores, Sampling(), float(np.nextafter(1.0, 0.0))) == 599
    assert drawn(scores, Sampling(), 0.0) == 300


def test_a_mask_that_allows_nothing_is_none() -> None:
    """That of a grammar which failed: its answer ends with the grammar's problem, not with ours."""
    scores, nothing = scores_of(1.0), np.zeros(VOCABULARY, dtype=np.bool_)
    assert draw(scores, Draw(Sampling(), 0, 0, (), None, nothing)) is not None


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_the_largest_are_the_largest(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5000))
    count = data.draw(st.integers(1, size))
    numbers = np.random.default_rng(data.draw(st.integers(0, 99)))
    # Few different values: ties everywhere.
    values = numbers.integers(0, data.draw(st.sampled_from([3, 100, 10**6])), size)
    found = drawing._largest(values.astype(np.float32), count)
    assert found.tolist() == sorted(values.tolist(), reverse=True)[:count]
