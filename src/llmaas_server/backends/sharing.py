"""What each of several workers may take of the machine. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from llmaas_server.models.machine import SHARE_FOR_MODELS


@dataclass(frozen=True, slots=True)
class Share:
    """None leaves it to the worker: a thread for each core, a share of the device's memory."""

    threads: int | None
    memory_bytes: int | None


@dataclass(frozen=True, slots=True)
class Sharing:
    """The machine, and what was asked for."""

    cores: int
    memory: int
    """Bytes of the machine; those of a GPU are its own."""
    threads: int | None = None
    """For each worker; None shares the cores between those on the CPU."""
    memory_bytes: int | None = None
    """For all models on one device, in all its workers together."""

    def of(self, device: str, others: Sequence[str]) -> Share:
        """The share of a worker on `device` beside workers on the devices `others`."""
        place = _place(device)
        workers = 1 + sum(_place(other) == place for other in others)
        if workers == 1:
            return Share(self.threads, self.memory_bytes)
        if place != "cpu":
            return Share(self.threads, self.memory_bytes and self.memory_bytes // workers)
        memory = self.memory_bytes or int(SHARE_FOR_MODELS * self.memory)
        return Share(self.threads or max(self.cores // workers, 1), memory // workers)


def _place(device: str) -> str:
    """Devices of one place share it; `auto` is alone, or the CPU."""
    return {"auto": "cpu", "cuda": "cuda:0"}.get(device, device)
