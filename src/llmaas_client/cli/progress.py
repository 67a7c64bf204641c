"""How far a task of several parts has come: a bar on a terminal, nothing elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TextIO

from llmaas_client.steps import Event
from llmaas_client.wire.events import Progress


@contextmanager
def following(terminal: TextIO) -> Generator[Callable[[Event], None]]:
    """What to call with each event of a stream."""
    if not terminal.isatty():
        yield _nothing
        return
    from rich.console import Console
    from rich.progress import Progress as Bar

    with Bar(console=Console(file=terminal), transient=True) as bar:
        task = bar.add_task("reading", total=None)

        def show(event: Event) -> None:
            if isinstance(event, Progress):
                bar.update(task, description=event.stage, completed=event.done, total=event.total)

        yield show


def _nothing(event: Event) -> None:
    """Elsewhere than on a terminal."""
