"""What a map has done, in a file that another run goes on from.

One line of JSON for what the map is, then one for each value. A value is found again by the hash
of its input and of all arguments; equal inputs are told apart by their order. A line that was cut
when the machine stopped is dropped, and its input worked on again.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from hashlib import sha256
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pydantic_core import to_jsonable_python

from llmaas_client.errors import ConfigurationError

VERSION = 1
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
_SHORT = 80
"""Characters of a value in a message."""


class Checkpoint:
    """Use as a context manager: it holds the file open, and locked where the system can lock."""

    def __init__(self, path: str | PathLike[str], task: str, arguments: Mapping[str, Any]) -> None:
        self.path = Path(path)
        self._head = {"llmaas_map": VERSION, "task": task, "arguments": arguments}
        self._salt = _canonical(self._head)
        self._places: dict[bytes, int] = {}
        """Key -> where its line begins."""
        self._seen: Counter[bytes] = Counter()

    def __enter__(self) -> Self:
        try:
            self._file = os.open(self.path, _FLAGS, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        try:
            self._lock()
            self._load()
        except BaseException:
            os.close(self._file)
            raise
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        os.close(self._file)

    def key(self, value: Any) -> bytes:
        """Of the next input, which is `value`: two that are equal have two keys."""
        plain = _canonical(to_jsonable_python(value, fallback=repr))
        content = sha256(self._salt + plain).digest()[:16]
        self._seen[content] += 1
        return sha256(content + str(self._seen[content]).encode()).digest()[:16]

    def find(self, key: bytes) -> dict[str, Any] | None:
        """What was saved under a key, None where nothing was."""
        place = self._places.get(key)
        if place is None:
            return None
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(place)
            entry: dict[str, Any] = json.loads(file.readline())
        return entry

    def save(self, entries: Iterable[tuple[bytes, Mapping[str, Any]]]) -> None:
        """Append values, in one write."""
        lines = [json.dumps({"key": key.hex(), **entry}) + "\n" for key, entry in entries]
        self._append("".join(lines).encode())

    def _append(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            raise self._unusable(error) from None

    def _lock(self) -> None:
        try:
            import fcntl
        except ImportError:  # not on this system
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigurationError(
                f"{self.path} is in use by another map", hint="Name another checkpoint."
            ) from None

    def _load(self) -> None:
        head = _canonical(self._head) + b"\n"
        with os.fdopen(os.dup(self._file), "rb") as file:
            file.seek(0)
            first = file.readline()
            if first.endswith(b"\n"):
                self._check_head(first)
                self._read_places(file.tell(), file)
                return
        if not head.startswith(first):
            raise self._foreign()
        os.ftruncate(self._file, 0)  # empty, or cut in its first line
        self._append(head)

    def _check_head(self, line: bytes) -> None:
        try:
            head = json.loads(line)
            version, task, arguments = head["llmaas_map"], head["task"], head["arguments"]
        except (ValueError, TypeError, KeyError):
            raise self._foreign() from None
        if version != VERSION:
            raise ConfigurationError(
                f"{self.path} is of another version of llmaas", hint="Name another checkpoint."
            )
        mine: dict[str, Any] = {"task": self._head["task"], **_plain(self._head["arguments"])}
        its: dict[str, Any] = {"task": task, **arguments}
        changed = [
            f"{name} was {_short(its.get(name))} and is {_short(mine.get(name))}"
            for name in mine | its
            if mine.get(name) != its.get(name)
        ]
        if changed:
            raise ConfigurationError(
                f"{self.path} is the checkpoint of another map: {'; '.join(changed)}",
                hint="Use the same arguments, or name another checkpoint.",
            )

    def _read_places(self, place: int, lines: Iterable[bytes]) -> None:
        for line in lines:
            if not line.endswith(b"\n"):
                os.ftruncate(self._file, place)
                return
            try:
                entry = json.loads(line)
                self._places[bytes.fromhex(entry["key"])] = place
            except (ValueError, TypeError, KeyError):
                pass  # damaged: its input is worked on again
            place += len(line)

    def _foreign(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self.path} is not a checkpoint of a map", hint="Name another file."
        )

    def _unusable(self, error: OSError) -> ConfigurationError:
        return ConfigurationError(f"{self.path} cannot be used: {error.strerror}")


def _canonical(value: Any) -> bytes:
    return json.dumps(value, sort_keys=True, ensure_ascii=True).encode()


def _plain(value: Any) -> Any:
    """As it is after a way through JSON."""
    return json.loads(json.dumps(value))


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 1]}…"
