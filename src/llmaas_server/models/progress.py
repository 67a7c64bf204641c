"""How far a pull has come."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Step:
    """What a pull does now. Bytes; None where the source does not tell."""

    stage: str
    done: int | None = None
    total: int | None = None


Progress = Callable[[Step], None]
"""May be called from another thread than the one that pulls."""


def silent(step: Step) -> None:
    """The progress of a pull that nobody watches."""


@contextmanager
def watch_folder(
    folder: Path, stage: str, total: int | None, progress: Progress, interval: float = 0.2
) -> Iterator[None]:
    """Report the growing size of `folder` as the progress of a download, while the block runs."""
    ended = threading.Event()

    def report() -> None:
        while not ended.wait(interval):
            done = _size(folder)
            progress(Step(stage, min(done, total) if total else done, total))

    progress(Step(stage, 0, total))
    watcher = threading.Thread(target=report, name="llmaas-pull-progress", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        ended.set()
        watcher.join()


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:  # moved into place just now; the next look counts it there
            continue
    return total
