"""Who gave the answers of a report, and what they took."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from llmaas_client.wire.classify import ClassifyResult
from llmaas_client.wire.summarize import SummarizeResult

MOST_WARNINGS = 20


@dataclass(frozen=True, slots=True)
class Source:
    """The model that answered, its tokens, and what the server said about its answers."""

    model: str
    method: str
    calibration: str | None
    classifier: str | None
    prompt_tokens: int
    completion_tokens: int
    cost: str | None
    warnings: tuple[str, ...]
    """Each once."""


class Origin:
    """Gathers it, result by result."""

    def __init__(self) -> None:
        self._models: dict[str, None] = {}
        self._methods: dict[str, None] = {}
        self._calibrations: dict[str, None] = {}
        self._classifiers: dict[str, None] = {}
        self._prompt = self._completion = 0
        self._cost: Decimal | None = None
        self._warnings: dict[str, None] = {}

    def add(self, result: ClassifyResult | SummarizeResult) -> None:
        self._models[result.model] = None
        self._methods[result.method] = None
        if isinstance(result, ClassifyResult):
            self._calibrations[result.calibration] = None
            if result.classifier is not None:
                self._classifiers[result.classifier] = None
        self._prompt += result.usage.prompt_tokens
        self._completion += result.usage.completion_tokens
        if result.cost is not None:
            self._cost = (self._cost or Decimal()) + Decimal(result.cost)
        for warning in result.warnings:
            if len(self._warnings) < MOST_WARNINGS:
                self._warnings[warning.message] = None

    @property
    def source(self) -> Source:
        return Source(
            model=", ".join(self._models),
            method=", ".join(self._methods),
            calibration=", ".join(self._calibrations) or None,
            classifier=", ".join(self._classifiers) or None,
            prompt_tokens=self._prompt,
            completion_tokens=self._completion,
            cost=None if self._cost is None else format(self._cost, "f"),
            warnings=tuple(self._warnings),
        )
