"""Draws on the device are those of the sampler, token by token."""

from __future__ import annotations

import random
from collections import Counter

import numpy as np
import pytest
import torch

from llmaas_server.runtime import sampler
from llmaas_server.runtime.cuda import sampling
from llmaas_server.runtime.draw import Draw
from llmaas_server.runtime.request import Sampling, Token

VOCABULARY = 101

DEVICES = ["cpu", "cuda"]


@pytest.fixture(params=DEVICES)
def device(request: pytest.FixtureRequest) -> torch.device:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("there is no GPU here")
    return torch.device(request.param)


def logits_of(rows: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 4 * torch.randn(rows, VOCABULARY, generator=generator)


def mixed(rows: int) -> list[Draw]:
    """Draws of all kinds side by side."""
    chance = random.Random(7)
    draws = []
    for row in range(rows):
        sampling = Sampling(
            temperature=chance.choice([0.0, 0.3, 1.0, 2.5]),
            top_k=chance.choice([0, 1, 5, 60, 500]),
            top_p=chance.choice([1.0, 0.9, 0.4]),
            min_p=chance.choice([0.0, 0.05]),
            repetition_penalty=chance.choice([1.0, 1.3]),
        )
        mask = np.array([chance.random() < 0.5 for _ in range(VOCABULARY - 3)])
        draws.append(
            Draw(
                sampling,
                seed=row,
                count=chance.randrange(50),
                seen=[chance.randrange(VOCABULARY) for _ in range(30)],
                top_logprobs=chance.choice([None, 0, 3, 200]),
                mask=mask if chance.random() < 0.3 else None,
            )
        )
    return draws


def test_all_kinds_side_by_side_are_what_the_sampler_draws(device: torch.device) -> None:
    logits, draws = logits_of(200), mixed(200)
    logits[17] = torch.nan
    expected = sampler.sample(logits, draws)
    found = sampling.sample(logits.to(device), draws)
    assert [token and token.id for token in found] == [token and token.id for token in expected]
    for one, other in zip(found, expected, strict=True):
        assert (one is None) == (other is None)
        if one is None or other is None:
            continue
        assert one.logprob == pytest.approx(other.logprob, abs=1e-5)
        assert (one.top is None) == (other.top is None)
        assert dict(one.top or ()) == pytest.approx(dict(other.top or ()), abs=1e-5)


def test_a_row_does_not_depend_on_the_others() -> None:
    logits, draws = logits_of(60), mixed(60)
    together = sampling.sample(logits, draws)
    alone = [sampling.sample(logits[n : n + 1], [draw])[0] for n, draw in enumerate(draws)]
    assert alone == together


def test_a_seed_draws_the_same_again_and_its_places_differ() -> None:
    logits = logits_of(1).expand(64, -1)
    draws = [Draw(Sampling(temperature=2.0), 5, count, []) for count in range(64)]
    first, second = (ids(sampling.sample(logits, draws)) for _ in range(2))
    assert first == second
    assert len(set(first)) > 1


def test_draws_follow_the_distribution() -> None:
    rows = 20_000
    logits = logits_of(1)[:, :5]
    draws = [Draw(Sampling(temperature=3.0), seed, 0, []) for seed in range(rows)]
    counted = Counter(ids(sampling.sample(logits.expand(rows, -1), draws)))
    wanted = (logits[0] / 3.0).softmax(-1).tolist()
    for token, share in enumerate(wanted):
        assert counted[token] / rows == pytest.approx(share, abs=0.015)


def ids(tokens: list[Token | None]) -> list[int]:
    return [token.id for token in tokens if token is not None]
