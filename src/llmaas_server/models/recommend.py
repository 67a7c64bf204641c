"""Which models of the catalogue suit a task and a machine. Arithmetic on the catalogue alone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .catalogue import Device, Dtype, Entry, Task

DTYPES: dict[Device, tuple[Dtype, ...]] = {"cpu": ("float32", "bfloat16"), "cuda": ("bfloat16",)}
"""What weights are computed in on a device, the preferred first."""

HEADROOM = 1.25
"""Memory for activations, the KV cache and the process, as a multiple of the weights'."""

SLOW_ON_CPU = 2_000_000_000
"""Parameters; a decoder with more writes a few tokens a second on a usual CPU."""


@dataclass(frozen=True, slots=True)
class Choice:
    """How a model fits."""

    entry: Entry
    dtype: Dtype
    """The widest that fits; the narrowest where none does."""
    memory_bytes: int
    """Weights in this dtype, with headroom."""
    fits: bool
    slow: bool


def recommend(
    entries: Iterable[Entry], task: Task | None, memory_bytes: int, device: Device
) -> list[Choice]:
    """The models that can do the task, the best fit first.

    Those that fit come first, then those that are quick enough, made for the task, and large;
    of those that do not fit, the smallest.
    """
    choices = [
        _choose(entry, memory_bytes, device)
        for entry in entries
        if task is None or task in entry.tasks
    ]

    def rank(choice: Choice) -> tuple[bool, bool, bool, int]:
        size = choice.entry.parameters
        made_for_it = task is None or choice.entry.tasks[0] == task
        return (not choice.fits, choice.slow, not made_for_it, -size if choice.fits else size)

    return sorted(choices, key=rank)


def needed_bytes(entry: Entry, dtype: Dtype) -> int:
    return int(entry.memory_bytes(dtype) * HEADROOM)


def _choose(entry: Entry, memory_bytes: int, device: Device) -> Choice:
    dtypes = DTYPES[device]
    fitting = [dtype for dtype in dtypes if needed_bytes(entry, dtype) <= memory_bytes]
    dtype = fitting[0] if fitting else dtypes[-1]
    slow = device == "cpu" and entry.kind == "decoder" and entry.parameters > SLOW_ON_CPU
    return Choice(entry, dtype, needed_bytes(entry, dtype), bool(fitting), slow)
