"""A compiled step is what the eager one is, comes when it comes, and is never needed.

The models are traced as for a C++ compiler; what the compiler makes of that takes a minute, and is
left out here.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch

from llmaas_server.runtime.compiling import Compiling
from llmaas_server.runtime.cuda.decoder import PagedDecoder
from llmaas_server.runtime.decoder import TorchDecoder
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.request import Generation, Sampling, Scoring, Token
from llmaas_server.seam.values import WorkerOptions
from support.decoders import CONTEXT, decoder, drain, greedy, ids_of, prompt_of, reference

MIXED = (3, 60, 1, 17, 130, 44)
CPU = torch.device("cpu")
TRACED = "eager"
PATIENCE = 60.0
SMALL: dict[str, Any] = {"num_hidden_layers": 1}


@pytest.fixture(autouse=True)
def forget() -> None:
    torch.compiler.reset()


def made(family: str = "Llama", paged: bool = False, **sizes: Any) -> TorchDecoder:
    module = decoder(family, **{**SMALL, **sizes})
    return PagedDecoder(module, CPU, 16, CONTEXT) if paged else TorchDecoder(module, CPU)


def lane_of(made: TorchDecoder) -> GenerateLane:
    return GenerateLane(made, CONTEXT, WorkerOptions(device="cpu", max_step_tokens=64))


@pytest.mark.parametrize(
    ("family", "paged", "sizes"),
    [
        ("Llama", False, {}),
        ("Llama", True, {}),
        ("Gemma2", False, {"head_dim": 8, "sliding_window": 24, "num_hidden_layers": 2}),
    ],
)
def test_it_gives_the_same_tokens(family: str, paged: bool, sizes: dict[str, Any]) -> None:
    computed = made(family, paged, **sizes)
    lane = lane_of(computed)
    works = [
        *(greedy(length) for length in MIXED),
        Generation(prompt_of(21), 12, Sampling(temperature=1.2, seed=4)),
    ]
    branches = Scoring(prompt_of(40), (prompt_of(3, seed=1), prompt_of(5, seed=2)))
    eager = [ids_of(items) for items in drain(lane, works)]
    [[scores]] = drain(lane, [branches])
    computed.compile(TRACED)
    assert "compiled" in lane.kernels
    lane = lane_of(computed)  # nothing is found in a cache of prefixes
    assert [ids_of(items) for items in drain(lane, works)] == eager
    [[found]] = drain(lane, [branches])
    for one, other in zip(found, scores, strict=True):
        assert one == pytest.approx(other, abs=1e-4)


def test_no_step_is_compiled_while_it_is_waited_for() -> None:
    """Whatever its rows: all code was made before the switch."""
    computed = made()
    computed.compile(TRACED)
    torch.compiler.set_stance("fail_on_recompile")
    try:
        drain(lane_of(computed), [greedy(length) for length in MIXED])
    finally:
        torch.compiler.set_stance("default")


def test_it_takes_over_in_the_middle_of_an_answer() -> None:
    computed = made()
    lane = lane_of(computed)
    expected = reference(decoder(**SMALL), prompt_of(17), 12)[0]
    lane.submit(Job(0, greedy(17), submitted=0.0))
    items = [item for _ in range(4) for output in lane.step() for item in output.items]
    assert "compiled" not in lane.kernels
    thread = Compiling().begin("m", lambda: computed.compile(TRACED))
    thread.join(PATIENCE)
    assert "compiled" in lane.kernels
    while lane.busy:
        items += [item for output in lane.step() for item in output.items]
    assert [item.id for item in items if isinstance(item, Token)] == expected


def test_what_cannot_be_compiled_stays_as_it_is(caplog: pytest.LogCaptureFixture) -> None:
    def fail(graph: Any, inputs: Any) -> Any:
        raise OSError("no compiler here")

    torch._dynamo.register_backend(fail, "failing")
    computed = made()
    lane = lane_of(computed)
    Compiling().begin("m", lambda: computed.compile("failing")).join(PATIENCE)
    assert "m stays eager: it cannot be compiled" in caplog.text
    assert lane.kernels == "torch float32"
    [items] = drain(lane, [greedy(17)])
    assert ids_of(items) == reference(decoder(**SMALL), prompt_of(17), 12)[0]
