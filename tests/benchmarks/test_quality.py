"""The lane on a given path, with a small random model of the Llama family."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path as Folder

import pytest
import torch
from benchmarks.forcing import Path, Walker
from benchmarks.quality import Divergence

from llmaas_server.seam.values import WorkerOptions
from support import tiny

FP32 = WorkerOptions(threads=1, dtype="float32", quantization="none", max_step_tokens=32)
PROMPTS = [Path(tuple(range(5, 5 + size))) for size in (3, 17, 40)]


@pytest.fixture(autouse=True, scope="module")
def threads() -> Iterator[None]:
    """The walker sets them."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Walker:
    folder: Folder = tmp_path_factory.mktemp("tiny")
    return Walker(tiny.llama(folder), FP32)


def test_the_reference_chooses_its_own_way(walker: Walker) -> None:
    walks = walker.walk(PROMPTS, most=6)
    alone = [walker.walk([path], most=6)[0] for path in PROMPTS]
    assert [walk.tokens for walk in walks] == [walk.tokens for walk in alone]
    for walk in walks:
        assert 0 < len(walk.tokens) <= 6
        assert walk.logits.argmax(-1).tolist() == list(walk.tokens)


def test_a_format_is_led_along_the_path_and_its_own_logits_are_noted(walker: Walker) -> None:
    chosen = walker.walk(PROMPTS, most=6)
    given = [Path(p.prompt, walk.tokens) for p, walk in zip(PROMPTS, chosen, strict=True)]
    for walk, led in zip(chosen, walker.walk(given, 0), strict=True):
        assert led.tokens == walk.tokens
        torch.testing.assert_close(led.logits, walk.logits)


def test_a_path_that_nobody_would_choose_is_followed_all_the_same(walker: Walker) -> None:
    tokens = (9, 9, 11, 7, 9)
    (prompt, *_) = PROMPTS
    (led,) = walker.walk([Path(prompt.prompt, tokens)], 0)
    assert led.logits.shape[0] == len(tokens)
    assert led.logits.abs().max() < 1e3, "noted before the way was forced"
    for place in range(len(tokens)):
        (alone,) = walker.walk([Path(prompt.prompt + tokens[:place])], most=1)
        torch.testing.assert_close(led.logits[place], alone.logits[0])


def test_divergence() -> None:
    reference = torch.tensor([[0.0, 1.0, 2.0], [3.0, 0.0, 0.0]])
    same = Divergence().plus(reference, reference + 7.0)
    assert (same.tokens, same.same) == (2, 2)
    assert same.kl == pytest.approx(0.0, abs=1e-6)
    other = torch.tensor([[0.0, 3.0, 2.0], [3.0, 0.0, 0.0]])
    found = same.plus(reference, other)
    p, q = reference[0].softmax(-1), other[0].softmax(-1)
    assert found.kl == pytest.approx(float((p * (p / q).log()).sum()), abs=1e-5)
    assert (found.tokens, found.same) == (4, 3)
