"""Figures in turns, their medians, and the rows of a table that they become."""

from __future__ import annotations

import statistics
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .machine import describe
from .options import Options

HEADER = "| measure | of | median | ours / it | rounds | command |\n|---|---|---|---|---|---|"

ContestantT = TypeVar("ContestantT")


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of what was measured of one contestant."""

    measure: str
    """What, with its unit."""
    of: str
    median: float
    rounds: int
    ratio: float | None = None
    """Ours divided by it: above 1 we have more of it."""

    def row(self, command: str) -> str:
        ratio = "" if self.ratio is None else f"{self.ratio:.2f} x"
        cells = [self.measure, self.of, f"{self.median:.4g}", ratio, str(self.rounds)]
        return f"| {' | '.join(cells)} | `{command}` |"


Samples = Mapping[str, float]
"""Measure -> what one round of one contestant gave."""


def in_turns(
    contestants: Mapping[str, ContestantT],
    measure: Callable[[ContestantT], Samples],
    rounds: int,
    ours: str,
) -> list[Figure]:
    """Measure every contestant once a round, so that what the machine does else hits all alike.

    A ratio is the median of the rounds' own ratios: `ours` and the other of the same round.
    """
    found: dict[tuple[str, str], list[float]] = defaultdict(list)
    for number in range(rounds):
        for name, contestant in contestants.items():
            for what, value in measure(contestant).items():
                found[what, name].append(value)
                note(f"round {number + 1} of {rounds}, {name}: {what} {value:.4g}")
    order = {what: place for place, what in enumerate(dict.fromkeys(what for what, _ in found))}
    return [
        Figure(what, name, statistics.median(values), len(values), _ratio(found, what, name, ours))
        for (what, name), values in sorted(found.items(), key=lambda item: order[item[0][0]])
    ]


def _ratio(
    found: Mapping[tuple[str, str], Sequence[float]], what: str, name: str, ours: str
) -> float | None:
    base, values = found.get((what, ours)), found[what, name]
    if name == ours or not base or len(base) != len(values) or not all(values):
        return None
    return statistics.median(mine / theirs for mine, theirs in zip(base, values, strict=True))


def publish(options: Options, figures: Iterable[Figure]) -> None:
    """Print the rows under the machine's name, and add them to the file that was asked for."""
    rows = "\n".join(figure.row(options.command) for figure in figures)
    text = f"{describe(options.threads)}\n\n{HEADER}\n{rows}\n"
    sys.stdout.write(text)
    if options.output is not None:
        with options.output.open("a", encoding="utf-8") as file:
            file.write(f"\n{text}")


def note(text: str) -> None:
    """Tell whoever waits what is going on."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()
