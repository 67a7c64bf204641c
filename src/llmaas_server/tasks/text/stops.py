"""Stop strings: text that ends an answer, and of which nothing may be seen."""

from __future__ import annotations

from collections.abc import Iterable


class StopMatcher:
    """Text in, in pieces cut anywhere; out comes what cannot be part of a stop string.

    The match that is complete first wins; of those complete at once, the longest. So the result
    does not depend on how the text was cut into pieces.
    """

    def __init__(self, stops: Iterable[str]) -> None:
        self._stops = tuple(dict.fromkeys(stops))
        self._held = ""
        self.stopped = False

    def push(self, piece: str) -> str:
        """The text that is certain now. Sets `stopped` where a stop string is complete."""
        text = self._held + piece
        matches = [
            (start + len(stop), start) for stop in self._stops if (start := text.find(stop)) >= 0
        ]
        if matches:
            self.stopped = True
            self._held = ""
            return text[: min(matches)[1]]
        certain = len(text) - self._overlap(text)
        self._held = text[certain:]
        return text[:certain]

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        held, self._held = self._held, ""
        return held

    def _overlap(self, text: str) -> int:
        """Length of the longest end of `text` with which a stop string begins."""
        longest = max((len(stop) - 1 for stop in self._stops), default=0)
        for length in range(min(longest, len(text)), 0, -1):
            if any(stop.startswith(text[-length:]) for stop in self._stops):
                return length
        return 0
