"""Small models compute fastest in one thread; and every lane's books are balanced at the end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from llmaas_server.runtime.decoding import Decoder
from llmaas_server.runtime.lanes.generate import GenerateLane


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(autouse=True)
def balanced() -> Iterator[None]:
    """After each test, the blocks of all its lanes are where they belong."""
    lanes: list[GenerateLane] = []
    install = GenerateLane._install

    def noted(lane: GenerateLane, decoder: Decoder) -> None:
        install(lane, decoder)
        lanes.append(lane)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(GenerateLane, "_install", noted)
        yield
    for lane in lanes:
        lane.check()
