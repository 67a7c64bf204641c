from __future__ import annotations

import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.device import device_of, dtype_of
from llmaas_server.seam.values import WorkerOptions


def test_auto_takes_a_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert device_of(WorkerOptions()) == torch.device("cpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device_of(WorkerOptions()) == torch.device("cuda", 0)


def test_a_gpu_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert device_of(WorkerOptions(device="cuda")).type == "cuda"
    with pytest.raises(Problem, match="1 GPUs"):
        device_of(WorkerOptions(device="cuda:1"))


@pytest.mark.parametrize(
    ("dtype", "device", "expected"),
    [
        ("auto", "cpu", torch.float32),
        ("auto", "cuda", torch.bfloat16),
        ("bfloat16", "cpu", torch.bfloat16),
        ("float32", "cuda", torch.float32),
    ],
)
def test_dtype(dtype: str, device: str, expected: torch.dtype) -> None:
    options = WorkerOptions(dtype=dtype)  # type: ignore[arg-type]
    assert dtype_of(options, torch.device(device)) is expected
