"""What is taken of the pass of a text through its model: integrated gradients, and attention."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np

from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.runtime.request import Attribution, Place
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.classifiers.base import ModelInput, Scoring
from llmaas_server.tasks.meter import Meter

from .plan import Parted

DIGITS = 4
"""Of a weight of attention in a result."""


@dataclass(frozen=True, slots=True)
class Traced:
    """Integrated gradients of a text."""

    scores: list[float]
    """Of each unit."""
    figures: dict[str, Any]
    """The rest of them, as results have it."""


@dataclass(frozen=True, slots=True)
class Tracer:
    """Asks the runtime about the passes that a scoring makes."""

    scoring: Scoring
    model: Model
    runtime: Runtime
    caller: Caller
    meter: Meter

    async def gradients(self, number: int, label: int, parted: Parted, steps: int) -> Traced:
        """Of the logit of a label for a text, which is read in one pass. Raises Problem."""
        given = self._input(number, label)
        places = self._places(parted.text, given)
        readout = await self.scoring.readout(label, self.model, self.runtime, self.caller)
        replaced = tuple(place.start is not None for place in places)
        work = Attribution(given.ids, given.types, replaced, readout, steps)
        found = await self.meter.encode(
            (steps + 2) * len(given.ids),
            self.runtime.attribute(
                self.model, work, tenant=self.caller.tenant, deadline=self.caller.deadline
            ),
        )
        gap = float(found.scores.sum()) - (found.value - found.baseline)
        return Traced(
            _by_unit(parted, places, found.scores.tolist()),
            {
                "value": found.value,
                "baseline": found.baseline,
                "completeness_gap": gap,
                "steps": steps,
            },
        )

    async def attention(self, number: int, label: int, text: str) -> dict[str, Any]:
        """Of the pass of a text, beside a label where it is read so. Raises Problem."""
        given = self._input(number, label)
        places = self._places(text, given)
        weights = await self.meter.encode(
            len(given.ids),
            self.runtime.attention(
                self.model,
                given.ids,
                given.types,
                tenant=self.caller.tenant,
                deadline=self.caller.deadline,
            ),
        )
        layers, heads = weights.shape[:2]
        return {
            "tokens": [
                {"token": place.token, "start": place.start, "end": place.end} for place in places
            ],
            "layers": layers,
            "heads": heads,
            "weights": np.round(weights.astype(np.float64), DIGITS).tolist(),
        }

    def _input(self, number: int, label: int) -> ModelInput:
        given = self.scoring.input_of(number, label)
        if given is None:
            raise RuntimeError("a text that is not read in one pass was to be traced")
        return given

    def _places(self, text: str, given: ModelInput) -> list[Place]:
        places = self.model.tokenizer.places(text, given.beside)
        if len(places) != len(given.ids):
            raise Problem("model_broken", "the tokenizer reads the same text in two ways")
        return places


def _by_unit(parted: Parted, places: list[Place], scores: list[float]) -> list[float]:
    """The sum of the tokens that begin in each unit."""
    starts = [unit.start for unit in parted.units]
    sums = [0.0] * len(starts)
    for place, score in zip(places, scores, strict=True):
        if place.start is not None:
            sums[max(bisect_right(starts, place.start) - 1, 0)] += score
    return sums
