"""What results say against themselves, told once."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from .steps import Call, T

if TYPE_CHECKING:
    from .wire.base import Result, ResultWarning

OnWarning: TypeAlias = Callable[["ResultWarning"], None]

_HERE = str(Path(__file__).parent)


class LLMaaSWarning(UserWarning):
    """A result is worth less than it looks; see its `warnings`."""


def by_python(warning: ResultWarning) -> None:
    """Tell it the way Python does, as of the caller's own line."""
    warnings.warn(warning.message, LLMaaSWarning, stacklevel=_caller_level())


class Notices:
    """Tells each kind of warning once for each model; results have them every time."""

    def __init__(self, tell: OnWarning | None) -> None:
        self._tell = tell or by_python
        self._told: set[tuple[str, str]] = set()

    def watching(self, call: Call[T]) -> Call[T]:
        """The call, whose result is looked at when it is read."""

        def read(body: bytes) -> T:
            from .wire.base import Result

            result = call.read(body)
            if isinstance(result, Result):
                self._look_at(result)
            return result

        return replace(call, read=read)

    def _look_at(self, result: Result) -> None:
        for warning in result.warnings:
            key = (result.model, warning.code)
            if key not in self._told:
                self._told.add(key)
                self._tell(warning)


def _caller_level() -> int:
    """How many frames there are from `by_python` to the first that is not of this package."""
    frame, level = sys._getframe(1), 1  # pyright: ignore[reportPrivateUsage]
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        frame, level = frame.f_back, level + 1
    return level
