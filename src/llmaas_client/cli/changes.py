"""What was typed, and what was not: the parts of a change."""

from __future__ import annotations

from typing import TypeVar

from llmaas_client.steps import UNSET, Unset

from .failures import WrongUsage

T = TypeVar("T")


def typed(value: T | None) -> T | Unset:
    """The value of an option; unset where it was left out."""
    return UNSET if value is None else value


def chosen(value: T | Unset) -> T | None:
    """For what begins: what was left out is not there."""
    return None if isinstance(value, Unset) else value


def check_some(*changes: object) -> None:
    """Raises WrongUsage where nothing is to change."""
    if all(isinstance(change, Unset) for change in changes):
        raise WrongUsage("there is nothing to change: name it by an option (see --help)")
