"""Whose turn it is: lanes share the device by time, whatever their steps cost. No torch here."""

from __future__ import annotations

from collections.abc import Iterable


class Turns:
    """The lane that has had the least time goes next; a tie goes to the one that waited longer.

    A lane that had nothing to do gains no credit meanwhile: it comes back level with the least
    served of the others, so it goes within a turn and cannot keep the device to itself.
    """

    def __init__(self) -> None:
        self._served: dict[int, float] = {}
        """Seconds of each lane that is busy; in the order of the last turn."""

    def next(self, busy: Iterable[int]) -> int | None:
        """The lane to step, of those that are busy now."""
        present = set(busy)
        stayed = {lane: served for lane, served in self._served.items() if lane in present}
        level = min(stayed.values(), default=0.0)
        came = dict.fromkeys(sorted(present - stayed.keys()), level)
        self._served = {**came, **stayed}
        return min(self._served, key=self._served.__getitem__, default=None)

    def charge(self, lane: int, seconds: float) -> None:
        """Note what the lane's turn took."""
        self._served[lane] = self._served.pop(lane) + seconds
