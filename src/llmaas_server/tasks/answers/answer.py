"""An answer as it grows: tokens in, deltas out, and no mark nor stop string in them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from llmaas_server.runtime.interface import Tokenizer
from llmaas_server.runtime.request import Token
from llmaas_server.seam.values import Delta, ToolCallPiece

from .parts import PartReader, Piece
from .shape import Shape

Finish = Literal["stop", "length"]


@dataclass(slots=True)
class _Call:
    id: str
    name: str
    arguments: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.arguments)


class Answer:
    """One of the answers to a request. Log-probabilities wait for the text of their tokens."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        shape: Shape,
        stops: Sequence[str] = (),
        *,
        choice: int = 0,
        logprobs: bool = False,
        hides_reasoning: bool = False,
        call_id: Callable[[int], str] = str,
    ) -> None:
        """`call_id` gives the ids of calls by their number."""
        self._tokenizer = tokenizer
        self._stream = tokenizer.stream()
        self._stand_ins = shape.marks.stand_ins()
        self._parts = PartReader(shape, stops)
        self._choice = choice
        self._hides_reasoning = hides_reasoning
        self._call_id = call_id
        self._content: list[str] = []
        self._reasoning: list[str] = []
        self._calls: list[_Call] = []
        self._received = 0
        self._given = 0
        # Entries of tokens whose text was not given out yet, each with where its text ends.
        self._waiting: list[tuple[int, dict[str, Any]]] = []
        self._logprobs: list[dict[str, Any]] | None = [] if logprobs else None

    @property
    def stopped(self) -> bool:
        """Whether a stop string has ended the answer."""
        return self._parts.stopped

    def push(self, token: Token) -> list[Delta]:
        """The deltas that are certain now."""
        text = self._text(token.id)
        self._received += len(text)
        if self._logprobs is not None:
            # A token without text of its own belongs to the character that is still to come.
            end = self._received if text else self._received + 1
            self._waiting.append((end, self._entry(token)))
        return self._give(self._parts.push(text))

    def finish(self) -> list[Delta]:
        """What is left when no token follows; nothing where a stop string ended the answer."""
        if self.stopped:
            return []
        text = self._stream.finish()
        self._received += len(text)
        deltas = self._give(self._parts.push(text))
        if not self.stopped:
            # The text of an incomplete character came just now: its tokens end here.
            self._waiting = [(min(end, self._received), entry) for end, entry in self._waiting]
            deltas += self._give(self._parts.finish())
        if self._waiting and not self.stopped:  # of tokens after the last text
            self._given = max(self._given, self._received)
            deltas += self._give([Piece(self._parts.part, 0)])
        return deltas

    def body(self, finish: Finish) -> dict[str, Any]:
        """The answer as the result has it; `finish` is how its tokens ended."""
        message: dict[str, Any] = {"role": "assistant", "content": "".join(self._content)}
        if self._reasoning:
            message["reasoning"] = "".join(self._reasoning)
        whole = self._calls[: self._parts.whole_calls]
        if whole:
            message["tool_calls"] = [
                {"id": call.id, "name": call.name, "arguments": _arguments(call.text)}
                for call in whole
            ]
        called = whole and finish == "stop"
        body: dict[str, Any] = {
            "message": message,
            "finish_reason": "tool_calls" if called else finish,
        }
        if self._logprobs is not None:
            body["logprobs"] = self._logprobs
        for cut in self._calls[self._parts.whole_calls :]:
            body["cut_call"] = {"id": cut.id, "name": cut.name, "text": cut.text}
        return body

    def _text(self, token: int) -> str:
        if token in self._stand_ins:
            return self._stream.finish() + self._stand_ins[token]
        return self._stream.push(token)

    def _give(self, pieces: Iterable[Piece]) -> list[Delta]:
        deltas = [self._delta(piece) for piece in pieces]
        return [delta for delta in deltas if delta is not None]

    def _delta(self, piece: Piece) -> Delta | None:
        self._given += piece.width
        hidden = piece.part == "reasoning" and self._hides_reasoning
        entries = self._released(piece, hidden)
        if hidden or not (piece.text or piece.name or entries):
            return None
        match piece:
            case Piece(part="reasoning"):
                self._reasoning.append(piece.text)
                return Delta("", entries, self._choice, reasoning=piece.text)
            case Piece(call=int(number)):
                said = self._call(number, piece)
                return Delta("", entries, self._choice, tool_call=said)
            case Piece(part="tool_call"):
                return Delta("", entries, self._choice)
        self._content.append(piece.text)
        return Delta(piece.text, entries, self._choice)

    def _call(self, number: int, piece: Piece) -> ToolCallPiece:
        if piece.name is not None:
            self._calls.append(_Call(self._call_id(number), piece.name))
            return ToolCallPiece(number, self._calls[-1].id, piece.name)
        self._calls[-1].arguments.append(piece.text)
        return ToolCallPiece(number, arguments=piece.text)

    def _released(self, piece: Piece, hidden: bool) -> list[dict[str, Any]] | None:
        """Entries of the tokens that end within what is given out by now."""
        if self._logprobs is None:
            return None
        entries = [entry for end, entry in self._waiting if end <= self._given]
        self._waiting = self._waiting[len(entries) :]
        if hidden:
            return []
        if piece.part != "content":
            entries = [{**entry, "part": piece.part} for entry in entries]
        self._logprobs.extend(entries)
        return entries

    def _entry(self, token: Token) -> dict[str, Any]:
        return {
            **self._likelihood(token.id, token.logprob),
            "top": [self._likelihood(id, logprob) for id, logprob in token.top],
        }

    def _likelihood(self, id: int, logprob: float | None) -> dict[str, Any]:
        return {"token": self._tokenizer.decode([id]), "logprob": logprob}


def _arguments(text: str) -> dict[str, Any]:
    """Arguments of a whole call: JSON, as the grammar had it."""
    arguments: dict[str, Any] = json.loads(text, parse_int=_number)
    return arguments


def _number(digits: str) -> int | float:
    """What has no place in 64 bits is not exact anywhere else on the way either."""
    return int(digits) if len(digits) < 19 else float(digits)
