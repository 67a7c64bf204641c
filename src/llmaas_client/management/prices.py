"""What calls cost: `client.prices`."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Generic, TypeVar

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.prices import Price, PriceCreate, PriceList

from .calls import Amount, Run, amount, get, given, send

PATH = "/v1/prices"

Many = TypeVar("Many")
One = TypeVar("One")


class Prices(Generic[Many, One]):
    """The prices of a server, in versions.

    client.prices.set(model="qwen3-4b-q4_k_m", prompt="0.10", completion="0.40")
    """

    def __init__(self, run: Run) -> None:
        self._listing: Callable[[Call[list[Price]]], Many] = run
        self._run: Callable[[Call[Price]], One] = run

    def list(self, *, timeout: Timeout = UNSET) -> Many:
        """All versions, in the order in which they were set."""
        return self._listing(get(PATH, _read, timeout))

    def set(
        self,
        *,
        model: str | None = None,
        task: str | None = None,
        prompt: Amount | None = None,
        cached: Amount | None = None,
        completion: Amount | None = None,
        cpu_second: Amount | None = None,
        gpu_second: Amount | None = None,
        most_seconds: Amount | None = None,
        valid_from: datetime | None = None,
        timeout: Timeout = UNSET,
    ) -> One:
        """Set a price, for the operator: a new version; calls that run keep the old one.

        Amounts are decimals as text, or integers, or `Decimal`s: never floats.

        Args:
            model: Of which model; without it of any.
            task: Of which task; without it of any.
            prompt: For a million tokens of prompts.
            cached: For a million of them that were not computed anew; without it as `prompt`.
            completion: For a million generated tokens.
            cpu_second: For a second of a CPU.
            gpu_second: For a second of a GPU.
            most_seconds: The time that a call is charged for at most; a price for time needs it.
            valid_from: A moment with a time zone, not in the past; without it now.
            timeout: Seconds for the whole call with all its retries; None is no limit.
        """
        fields = given(
            {
                "model": model,
                "task": task,
                "prompt": amount(prompt),
                "cached": amount(cached),
                "completion": amount(completion),
                "cpu_second": amount(cpu_second),
                "gpu_second": amount(gpu_second),
                "most_seconds": amount(most_seconds),
                "valid_from": valid_from,
            }
        )
        read = Price.model_validate_json
        return self._run(send("POST", PATH, PriceCreate, fields, read, timeout))


def _read(body: bytes) -> list[Price]:
    return PriceList.model_validate_json(body).prices
