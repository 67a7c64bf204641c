"""Which models share the memory: plain numbers, no torch, nothing is loaded or unloaded here.

A model counts with its weights and with the most that its keys and values may take, whether they
are taken now or not: what was admitted never runs out of memory later.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmaas_server.errors import Problem


@dataclass(frozen=True, slots=True)
class Size:
    """Of one model, in bytes."""

    weights: int
    kv: int = 0
    """Most for keys and values."""

    @property
    def total(self) -> int:
        return self.weights + self.kv


@dataclass(frozen=True, slots=True)
class Holding:
    """A model that has memory, or was promised it."""

    name: str
    size: Size
    used: float
    """When it was last used, on the clock of whoever asks."""
    free: bool
    """Whether it may go: it is resident, neither in use nor pinned."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The memory that all models share."""

    bytes: int

    def holds(self, size: Size, held: Sequence[Holding]) -> bool:
        return sum(one.size.total for one in held) + size.total <= self.bytes

    def can_hold(self, size: Size, held: Sequence[Holding]) -> bool:
        """Whether a model fits beside those that must stay."""
        return self.holds(size, [one for one in held if not one.free])

    def leavers(self, size: Size, held: Sequence[Holding]) -> list[Holding]:
        """Who goes so that a model fits: the least recently used first, and no more than it takes.

        The answer of `can_hold` was yes.
        """
        staying = sorted(held, key=lambda one: one.used)
        leaving: list[Holding] = []
        while not self.holds(size, staying):
            leaving.append(next(one for one in staying if one.free))
            staying.remove(leaving[-1])
        for one in reversed(leaving):  # A large one may have made the room of smaller ones, too.
            if self.holds(size, [*staying, one]):
                staying.append(one)
        return [one for one in leaving if one not in staying]

    def refusal(self, name: str, size: Size, held: Sequence[Holding]) -> Problem:
        """Why a model does not fit, in numbers. The answer of `can_hold` was no."""
        needs = f"the model {name!r} needs about {mib(size.weights)} for its weights" + (
            f" and {mib(size.kv)} for keys and values" if size.kv else ""
        )
        if size.total > self.bytes:
            return Problem(
                "out_of_memory",
                f"{needs}, and all models may take {mib(self.bytes)}",
                hint="Choose a smaller model, or on the server raise memory_bytes"
                + (" or lower kv_bytes." if size.kv else "."),
            )
        staying = [one for one in held if not one.free]
        who = ", ".join(f"{one.name} {mib(one.size.total)}" for one in staying)
        return Problem(
            "out_of_memory",
            f"{needs}; of the {mib(self.bytes)} for all models, those in use or pinned hold "
            f"{mib(sum(one.size.total for one in staying))} ({who})",
            hint="Ask again when they are idle, choose one of them, or raise memory_bytes on the "
            "server.",
        )


def mib(size: int) -> str:
    return f"{size / (1 << 20):.0f} MiB"
