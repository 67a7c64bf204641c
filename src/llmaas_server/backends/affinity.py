"""Which worker last read the beginning of a prompt: it may still have its keys and values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from llmaas_server.seam.values import Call

_CHARACTERS = 512
_MOST = 4096


def prefix_key(call: Call) -> int | None:
    """A key that calls of one tenant share whose prompts begin alike; None where no prompt is kept.

    The beginning of a chat goes to its first user message, so that every turn of a conversation
    has the same key. Two beginnings with one key cost a worse choice and nothing else.
    """
    if call.model.kind != "decoder":
        return None
    return hash((call.tenant, call.model.name, call.task, _beginning(call.request)))


class Affinity:
    """Remembers a worker's name for each key; the key that was longest unused is forgotten."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._workers: dict[int, str] = {}

    def find(self, key: int) -> str | None:
        return self._workers.get(key)

    def note(self, key: int, worker: str) -> None:
        self._workers.pop(key, None)  # The dict's order is that of use.
        self._workers[key] = worker
        if len(self._workers) > self._most:
            del self._workers[next(iter(self._workers))]


def _beginning(request: Mapping[str, Any]) -> str:
    """Of a request that nobody has validated yet; empty where it says nothing."""
    match request:
        case {"messages": [*messages]}:
            return _opening(messages)
        case {"text": str(text)} | {"text": [str(text), *_]}:
            return text[:_CHARACTERS]
    return ""


def _opening(messages: Sequence[Any]) -> str:
    said = []
    for message in messages:
        match message:
            case {"role": str(role), "content": str(content)}:
                said.append(f"{role}\n{content[:_CHARACTERS]}")
                if role == "user":
                    break
    return "\n".join(said)[:_CHARACTERS]
