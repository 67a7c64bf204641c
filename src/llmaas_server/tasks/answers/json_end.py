"""Where a JSON object ends, in text that comes in pieces."""

from __future__ import annotations


class ObjectEnd:
    """Counts brackets outside of strings; the text is known to be JSON."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False

    def find(self, text: str) -> int | None:
        """How many characters of `text` are of the object; None where all are and more follow."""
        for position, character in enumerate(text, start=1):
            if self._in_string:
                if self._escaped:
                    self._escaped = False
                elif character == "\\":
                    self._escaped = True
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth == 0:
                    return position
        return None
