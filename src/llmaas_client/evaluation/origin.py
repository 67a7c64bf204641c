"""Who gave the answers of a report, and what they took."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from llmaas_client.wire.classify import ClassifyResult
from llmaas_client.wire.summarize import SummarizeResult


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
    """One for each code."""


class Origin:
    """Gathers it, result by result."""

    def __init__(self) -> None:
        self._models: dict[str, None] = {}
        self._methods: dict[str, None] = {}
        self._calibrations: dict[str, None] = {}
        self._classifiers: dict[str, None] = {}
        self._prompt = self._completion = 0
        self._cost: Decimal | None = None
        self._results = 0
        self._warnings: dict[str, tuple[int, str]] = {}
        """By code: how many results had it, and what the first one said."""

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
        self._results += 1
        for warning in result.warnings:
            times, first = self._warnings.get(warning.code, (0, warning.message))
            self._warnings[warning.code] = (times + 1, first)

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
            warnings=tuple(
                f"{code}, in {times} of {self._results} requests; the first: {message}"
                for code, (times, message) in self._warnings.items()
            ),
        )
