"""What a terminal shows while a model comes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from llmaas_server.models.progress import Progress, Step

from .output import size_text

if TYPE_CHECKING:
    from llmaas_server.models.manifest import InstalledModel

EVERY_PERCENT = 10


@contextmanager
def showing(name: str) -> Iterator[Progress]:
    """Show progress on stderr: a bar where it is a terminal, else lines now and then."""
    if not sys.stderr.isatty():
        yield _Lines(name)
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        SpinnerColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
    )
    from rich.progress import Progress as Bars

    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(name, total=None)

        def report(step: Step) -> None:
            # A stage whose end is not known has no percentage, and `update` cannot say so.
            bars.tasks[0].total = step.total
            bars.update(task, description=f"{name}: {step.stage}", completed=step.done or 0)

        yield report


def pulled(model: InstalledModel) -> str:
    """What has come."""
    return f"{model.name}: {size_text(model.bytes)}, for {', '.join(model.tasks)}"


class _Lines:
    """A line for each stage, and for every ten percent of it."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._last: tuple[str, int] | None = None

    def __call__(self, step: Step) -> None:
        percent = 100 * step.done // step.total if step.total and step.done is not None else 0
        now = step.stage, percent // EVERY_PERCENT
        if now == self._last:
            return
        self._last = now
        share = f" {percent} %" if step.total else ""
        typer.echo(f"{self._name}: {step.stage}{share}", err=True)
