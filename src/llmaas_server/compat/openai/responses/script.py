"""The events of a streamed response, numbered, each item between its beginning and its end."""

from __future__ import annotations

import json
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Any

from llmaas_client.wire.sse import encode
from llmaas_server.compat.openai import answers
from llmaas_server.compat.openai.shapes import ChatTokenLogprob
from llmaas_server.seam.values import Delta, Result, ToolCallPiece

from .shapes import (
    IncompleteDetails,
    ModelResponse,
    OutputCall,
    OutputItem,
    OutputMessage,
    Status,
)
from .writing import Names, call_item, message_item, reasoning_item, status_of, usage_of


@dataclass(slots=True)
class _Open:
    """The item that is being said."""

    item: OutputItem
    position: int
    call: int | None = None
    """Of calls, the number in the message."""
    text: list[str] = field(default_factory=list)
    logprobs: list[ChatTokenLogprob] = field(default_factory=list)

    def whole(self, status: Status) -> OutputItem:
        """The item with all that was said."""
        text = "".join(self.text)
        match self.item:
            case OutputCall(id=id, call_id=call_id, name=name):
                return call_item(id, call_id, name, text, status)
            case OutputMessage(id=id):
                return message_item(id, text, self.logprobs, status)
        return reasoning_item(self.item.id, text, status)


class ResponseScript:
    """`begun` is the response as it is before anything was said."""

    def __init__(self, begun: ModelResponse, names: Names) -> None:
        self._begun = begun
        self._names = names
        self._number = 0
        self._output: list[OutputItem] = []
        self._open: _Open | None = None

    def start(self) -> bytes:
        response = self._begun.model_dump()
        return self._event("response.created", response=response) + self._event(
            "response.in_progress", response=response
        )

    def delta(self, delta: Delta) -> bytes:
        return b"".join(self._delta(delta))

    def end(self, result: Result) -> bytes:
        status = status_of(result)
        events = list(self._close(status))
        if not self._output:
            events += [*self._begin(self._message()), *self._close(status)]
        response = self._begun.model_copy(
            update={
                "status": status,
                "output": self._output,
                "usage": usage_of(result),
                "completed_at": int(time.time()) if status == "completed" else None,
                "incomplete_details": IncompleteDetails() if status == "incomplete" else None,
            }
        )
        events.append(self._event(f"response.{status}", response=response.model_dump()))
        return b"".join(events)

    def _delta(self, delta: Delta) -> Iterator[bytes]:
        if delta.reasoning:
            yield from self._reasoning(delta.reasoning)
        if delta.text:
            yield from self._text(delta)
        if delta.tool_call is not None:
            yield from self._call(delta.tool_call)

    def _reasoning(self, text: str) -> Iterator[bytes]:
        said = self._open
        if said is None or said.item.type != "reasoning":
            yield from self._close()
            name = self._names.item("rs", len(self._output))
            said = yield from self._begin(reasoning_item(name, "", "in_progress"))
        said.text.append(text)
        yield self._of("response.reasoning_text.delta", said, content_index=0, delta=text)

    def _text(self, delta: Delta) -> Iterator[bytes]:
        said = self._open
        if said is None or said.item.type != "message":
            yield from self._close()
            said = yield from self._begin(self._message())
        said.text.append(delta.text)
        told = answers.logprobs(delta.logprobs or ()).content or []
        said.logprobs.extend(told)
        yield self._of(
            "response.output_text.delta",
            said,
            content_index=0,
            delta=delta.text,
            logprobs=[one.model_dump() for one in told],
        )

    def _call(self, piece: ToolCallPiece) -> Iterator[bytes]:
        said = self._open
        if said is None or said.call != piece.index:
            yield from self._close()
            name = self._names.item("fc", len(self._output))
            item = call_item(name, piece.id or "", piece.name or "", "", "in_progress")
            said = yield from self._begin(item, call=piece.index)
        if piece.arguments:
            said.text.append(piece.arguments)
            event = "response.function_call_arguments.delta"
            yield self._of(event, said, delta=piece.arguments)

    def _message(self) -> OutputMessage:
        return message_item(self._names.item("msg", len(self._output)), "", [], "in_progress")

    def _begin(self, item: OutputItem, call: int | None = None) -> Generator[bytes, None, _Open]:
        said = self._open = _Open(item, len(self._output), call)
        shown = item.model_dump()
        if item.type != "function_call":
            (part,) = shown["content"]
            shown["content"] = []
        yield self._event("response.output_item.added", output_index=said.position, item=shown)
        if item.type != "function_call":
            yield self._of("response.content_part.added", said, content_index=0, part=part)
        return said

    def _close(self, status: Status = "completed") -> Iterator[bytes]:
        said, self._open = self._open, None
        if said is None:
            return
        item = said.whole(status)
        shown = item.model_dump()
        if item.type == "function_call":
            event = "response.function_call_arguments.done"
            yield self._of(event, said, name=item.name, arguments=item.arguments)
        else:
            (part,) = shown["content"]
            told = {name: part[name] for name in ("text", "logprobs") if name in part}
            yield self._of(f"response.{part['type']}.done", said, content_index=0, **told)
            yield self._of("response.content_part.done", said, content_index=0, part=part)
        yield self._event("response.output_item.done", output_index=said.position, item=shown)
        self._output.append(item)

    def _of(self, event: str, said: _Open, /, **fields: Any) -> bytes:
        return self._event(event, item_id=said.item.id, output_index=said.position, **fields)

    def _event(self, name: str, /, **fields: Any) -> bytes:
        event = {"type": name, "sequence_number": self._number, **fields}
        self._number += 1
        return encode(name, json.dumps(event, ensure_ascii=False))
