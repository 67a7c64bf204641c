from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import torch

from llmaas_server.runtime.draw import Draw, uniform
from llmaas_server.runtime.request import Sampling, Token
from llmaas_server.runtime.sampler import logprobs, sample

VOCABULARY = 2000
SEEN = (5, 9, 9, 100)

SAMPLINGS = [
    Sampling(),
    Sampling(temperature=0.7),
    Sampling(top_k=50),
    Sampling(top_k=10 * VOCABULARY),
    Sampling(top_p=0.9),
    Sampling(top_p=0.01),
    Sampling(min_p=0.05),
    Sampling(repetition_penalty=1.3),
    Sampling(temperature=1.5, top_k=200, top_p=0.8, min_p=0.02, repetition_penalty=1.1),
]


def logits_of(rows: int, scale: float = 3.0, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(rows, VOCABULARY, generator=generator) * scale


def draws_of(samplings: list[Sampling], count: int = 0) -> list[Draw]:
    return [Draw(sampling, sampling.seed or 0, count, SEEN) for sampling in samplings]


def test_greedy_is_the_largest_after_the_penalty() -> None:
    logits = torch.zeros(2, VOCABULARY)
    logits[:, 9], logits[:, 700] = 2.0, 1.8
    draws = draws_of([Sampling(temperature=0), Sampling(temperature=0, repetition_penalty=1.5)])
    assert [token and token.id for token in sample(logits, draws)] == [9, 700]


def test_a_row_is_drawn_alike_alone_and_in_company() -> None:
    logits = logits_of(len(SAMPLINGS))
    together = sample(logits, draws_of(SAMPLINGS, count=3))
    alone = [
        sample(logits[row : row + 1], draws_of([sampling], count=3))[0]
        for row, sampling in enumerate(SAMPLINGS)
    ]
    assert together == alone


def test_draws_follow_the_distribution() -> None:
    logits = torch.full((1, 4), -torch.inf)
    logits[0, 1:] = torch.tensor([0.5, 0.3, 0.2]).log()
    counts = Counter(
        sample(logits, [Draw(Sampling(), seed=11, count=count, seen=())])[0]
        for count in range(3000)
    )
    shares = {token.id: share / 3000 for token, share in counts.items() if token}
    assert shares == pytest.approx({1: 0.5, 2: 0.3, 3: 0.2}, abs=0.03)


def test_a_number_belongs_to_its_seed_and_count() -> None:
    numbers = [uniform(seed, count) for seed in range(30) for count in range(30)]
    assert len(set(numbers)) == 900
    assert all(0 <= number < 1 for number in numbers)
    assert sum(numbers) / 900 == pytest.approx(0.5, abs=0.05)
    assert uniform(3, 4) == uniform(3, 4)


def test_log_probabilities_are_of_the_unmodified_distribution() -> None:
    logits = logits_of(1)
    sampling = Sampling(temperature=0.2, top_k=3, repetition_penalty=2.0)
    [token] = sample(logits, [Draw(sampling, 7, 0, SEEN, top_logprobs=2)])
    expected = logits[0].log_softmax(-1)
    assert token is not None
    assert token.logprob == pytest.approx(float(expected[token.id]))
    best = expected.topk(2)
    assert [id for id, _ in token.top] == best.indices.tolist()
    assert [value for _, value in token.top] == pytest.approx(best.values.tolist())


@pytest.mark.parametrize(("asked", "given"), [(None, None), (0, 0), (5, 5)])
def test_as_many_alternatives_as_were_asked_for(asked: int | None, given: int | None) -> None:
    [token] = sample(logits_of(1), [Draw(Sampling(), 7, 0, (), top_logprobs=asked)])
    assert token is not None
    assert (token.logprob is None) == (given is None)
    assert len(token.top) == (given or 0)


@pytest.mark.parametrize("broken", [math.nan, math.inf])
def test_logits_that_are_not_numbers_fail_their_row_alone(broken: float) -> None:
    logits = logits_of(3)
    logits[1, 77] = broken
    first, second, third = sample(logits, draws_of([Sampling()] * 3))
    assert second is None
    assert isinstance(first, Token)
    assert isinstance(third, Token)


def test_a_tiny_temperature_is_greedy() -> None:
    logits = logits_of(1)
    [token] = sample(logits, draws_of([Sampling(temperature=1e-300)]))
    assert token == Token(int(logits.argmax()))


def test_logprobs_of_given_tokens() -> None:
    logits = logits_of(3)
    expected = logits.log_softmax(-1)
    found = logprobs(logits, [0, 2, 2], [4, 5, 6])
    assert found == pytest.approx(
        [float(expected[0, 4]), float(expected[2, 5]), float(expected[2, 6])]
    )
    assert logprobs(logits, [], []) == []


@pytest.mark.parametrize("sampling", [Sampling(temperature=0), Sampling(temperature=2), *SAMPLINGS])
def test_a_mask_leaves_what_it_allows_and_the_log_probabilities(sampling: Sampling) -> None:
    logits = logits_of(2)
    before = logits.clone()
    mask = np.zeros(VOCABULARY - 3, dtype=np.bool_)  # a tokenizer of fewer tokens than logits
    mask[[5, 17]] = True
    held, free = sample(
        logits,
        [Draw(sampling, 7, 0, SEEN, 2, mask), Draw(sampling, 7, 0, SEEN, 2)],
    )
    assert held is not None
    assert held.id in (5, 17)
    assert held.logprob == pytest.approx(float(before[0].log_softmax(-1)[held.id]))
    assert torch.equal(logits, before)
    [alone] = sample(logits[1:], [Draw(sampling, 7, 0, SEEN, 2)])
    assert free == alone
