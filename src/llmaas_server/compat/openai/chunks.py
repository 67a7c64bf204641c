"""The pieces of their streams of choices: one frame around each, usage and `[DONE]` at the end."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from llmaas_client.wire.sse import data
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from . import answers
from .pieces import END


class Chunks:
    """Makes the events of one stream."""

    def __init__(self, id: str, kind: str, told: Told, *, with_usage: bool) -> None:
        """`kind` is what they call the `object`; `with_usage`: a last piece says what was used."""
        self._frame: dict[str, Any] = {
            "id": id,
            "object": kind,
            "created": told.created,
            "model": told.model,
            "system_fingerprint": None,
        }
        self._with_usage = with_usage

    def piece(
        self,
        index: int,
        said: dict[str, Any],
        *,
        finish_reason: str | None = None,
        logprobs: Any = None,
    ) -> bytes:
        """What is new of one choice; `said` is the part that kinds of streams differ in."""
        choice = {
            "index": index,
            **said,
            "logprobs": None if logprobs is None else logprobs.model_dump(),
            "finish_reason": finish_reason,
        }
        piece = {**self._frame, "choices": [choice]}
        if self._with_usage:
            piece["usage"] = None
        return data(json.dumps(piece, ensure_ascii=False))

    def end(self, last: Iterable[bytes], result: Result) -> bytes:
        """The last pieces of all choices, and what comes after them."""
        pieces = list(last)
        if self._with_usage:
            used = answers.usage(result).model_dump()
            pieces.append(data(json.dumps({**self._frame, "choices": [], "usage": used})))
        return b"".join([*pieces, data(END)])
