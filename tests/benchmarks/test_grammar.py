"""Answers that follow a format are measured over as many tokens as those that are free."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import grammar
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.loader import LoadedModel
from llmaas_server.runtime.opening import Opening
from llmaas_server.seam.values import WorkerOptions
from support import tiny

OPTIONS = WorkerOptions(device="cpu", dtype="float32")


@pytest.fixture
def opened(tmp_path: Path) -> tuple[LoadedModel, GenerateLane]:
    model, lane = Opening(OPTIONS).open(tiny.llama(tmp_path), OPTIONS, lambda _: None)
    assert isinstance(model, LoadedModel)
    assert isinstance(lane, GenerateLane)
    return model, lane


@pytest.mark.parametrize("name", grammar.FORMATS)
def test_no_format_ends_before_its_answer(
    opened: tuple[LoadedModel, GenerateLane], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, lane = opened
    tokens: list[object] = []
    step = lane.step

    def count() -> list[object]:
        outputs = step()
        tokens.extend(item for output in outputs for item in output.items)
        return [*outputs]

    monkeypatch.setattr(lane, "step", count)
    found = grammar.run(model, lane, name, streams=3, answer=grammar.ANSWER)
    assert found["3 at once: ms a token"] > 0
    assert len(tokens) == 3 * (grammar.ANSWER + 1)  # each with its end
    assert not lane.busy
