"""The parts of an answer as it grows: what was thought, text, and calls of tools. Pure.

ahead      blanks, where an answer may begin with what the model thinks
lead       blanks after the mark that opens it
thinking   up to the mark that closes it
between    line ends after that mark
content    up to the first call, or to the end
name       of a call
arguments  of a call
tail       what follows a call: another one, or the end
done       nothing that follows is of the answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from llmaas_server.tasks.text.stops import StopMatcher
from llmaas_server.tasks.tools.formats import CallFormat

from .json_end import ObjectEnd
from .shape import Shape

Part = Literal["content", "reasoning", "tool_call"]


@dataclass(frozen=True, slots=True)
class Piece:
    """The next characters of the answer, and what they say: nothing, where they are marks.

    Of a call, the first piece has the `name` of its tool, and the others its arguments.
    """

    part: Part
    width: int
    """Characters of the answer as it was generated, with stand-ins for marks."""
    text: str = ""
    call: int | None = None
    name: str | None = None


class PartReader:
    """Text in, in pieces cut anywhere; out come pieces of parts. Holds back what is not certain.

    Stop strings count in content alone.
    """

    def __init__(self, shape: Shape, stops: Iterable[str] = ()) -> None:
        self._shape = shape
        self._opens, self._closes = "", ""
        self._state: Callable[[bool], Iterator[Piece]] = self._content
        if shape.thinking is not None:
            self._opens, self._closes = map(shape.marks.encode, shape.thinking.marks)
            self._state = self._lead if shape.begun else self._ahead
        self._format = None if shape.calls is None else _encoded(shape.calls, shape)
        self._matcher = StopMatcher(stops)
        self._held = ""
        self._blank = ""  # the end of the content so far: it is none where a call follows
        self._trigger = ""  # with what the call began whose name is read
        self._arguments = ObjectEnd()
        self.calls = 0
        """That have begun."""
        self.whole_calls = 0

    @property
    def stopped(self) -> bool:
        """Whether a stop string has ended the answer."""
        return self._matcher.stopped

    @property
    def part(self) -> Part:
        """What the next characters are of, as far as is known."""
        if self._state in (self._ahead, self._lead, self._thinking, self._between):
            return "reasoning"
        return "content" if self._state == self._content else "tool_call"

    def push(self, text: str) -> Iterator[Piece]:
        """The pieces that are certain now."""
        self._held += text
        yield from self._read(last=False)

    def finish(self) -> Iterator[Piece]:
        """What is left when nothing follows."""
        yield from self._read(last=True)

    def _read(self, last: bool) -> Iterator[Piece]:
        state = None
        while state != self._state:
            state = self._state
            yield from state(last)

    # --- what was thought -----------------------------------------------------------------------

    def _ahead(self, last: bool) -> Iterator[Piece]:
        text = self._held.lstrip()
        if text.startswith(self._opens):
            yield self._drop("reasoning", len(self._held) - len(text) + len(self._opens))
            self._state = self._lead
        elif last or not self._opens.startswith(text):
            self._state = self._content

    def _lead(self, last: bool) -> Iterator[Piece]:
        blank = len(self._held) - len(self._held.lstrip())
        if blank:
            yield self._drop("reasoning", blank)
        if self._held:
            self._state = self._thinking

    def _thinking(self, last: bool) -> Iterator[Piece]:
        end = self._held.find(self._closes)
        if end < 0:
            certain = self._held[: len(self._held) - _overlap(self._held, self._closes, last)]
            yield from self._take("reasoning", certain if last else certain.rstrip())
            return
        yield from self._take("reasoning", self._held[:end].rstrip())
        yield self._drop("reasoning", self._held.index(self._closes) + len(self._closes))
        self._state = self._between

    def _between(self, last: bool) -> Iterator[Piece]:
        blank = len(self._held) - len(self._held.lstrip("\r\n"))
        if blank:
            yield self._drop("reasoning", blank)
        if self._held:
            self._state = self._content

    # --- text -----------------------------------------------------------------------------------

    def _content(self, last: bool) -> Iterator[Piece]:
        calls = self._format
        if calls is None:
            yield from self._say(len(self._held), last)
            return
        trigger = calls.opens + calls.head
        if not calls.opens:  # then calls are the whole of an answer
            if self._held.startswith(trigger):
                self._begin_name(trigger)
            elif last or not trigger.startswith(self._held):
                self._format = None
                yield from self._say(len(self._held), last)
            return
        found = self._held.find(trigger)
        if found < 0:
            keep = _overlap(self._held, trigger, last)
            yield from self._say(len(self._held) - keep, last)
            return
        yield from self._say(found, last=False)
        if not self.stopped:
            yield from self._passed(self._matcher.finish())
            self._begin_name(trigger)

    def _say(self, length: int, last: bool) -> Iterator[Piece]:
        text = self._matcher.push(self._cut(length))
        if self.stopped:
            self._state = self._done
            yield from self._flush(text)
        elif last:
            yield from self._flush(text + self._matcher.finish())
        else:
            yield from self._passed(text)

    def _passed(self, text: str) -> Iterator[Piece]:
        """Text that no stop string begins with; blanks wait, where a call may follow them."""
        if self._format is None:
            yield from self._flush(text)
            return
        text = self._blank + text
        said = text.rstrip()
        self._blank = text[len(said) :]
        if said:
            yield self._piece("content", said)

    def _flush(self, text: str) -> Iterator[Piece]:
        text, self._blank = self._blank + text, ""
        if text:
            yield self._piece("content", text)

    # --- calls ----------------------------------------------------------------------------------

    def _begin_name(self, trigger: str) -> None:
        self._trigger = self._cut(len(trigger))
        self._state = self._name

    def _name(self, last: bool) -> Iterator[Piece]:
        assert self._format is not None, "a call without a format"
        end = self._held.find(self._format.middle)
        if end >= 0 and self._held[:end] in self._shape.names:
            name = self._held[:end]
            width = len(self._blank) + len(self._trigger) + end + len(self._format.middle)
            self._cut(end + len(self._format.middle))
            self._blank = ""
            yield Piece("tool_call", width, call=self.calls, name=name)
            self.calls += 1
            self._arguments = ObjectEnd()
            self._state = self._call
        elif (end >= 0 or last) and not self._format.opens:  # it only looked like a call
            self._held = self._trigger + self._held
            self._format = None
            self._state = self._content
        elif last:
            yield self._drop("tool_call", len(self._held))

    def _call(self, last: bool) -> Iterator[Piece]:
        end = self._arguments.find(self._held)
        text = self._cut(len(self._held) if end is None else end)
        if text:
            yield replace(self._piece("tool_call", text), call=self.calls - 1)
        if end is not None:
            self.whole_calls += 1
            self._state = self._tail

    def _tail(self, last: bool) -> Iterator[Piece]:
        calls = self._format
        assert calls is not None, "a call without a format"
        another = None if calls.between is None else calls.tail + calls.between + calls.head
        if another is not None and self._held.startswith(another):
            self._begin_name(another)
        elif last or another is None or not another.startswith(self._held):
            self._state = self._done
        yield from ()

    def _done(self, last: bool) -> Iterator[Piece]:
        rest = self._cut(len(self._held))
        if rest and not self.stopped:
            yield Piece("tool_call", len(rest))

    # --- characters -----------------------------------------------------------------------------

    def _cut(self, length: int) -> str:
        text, self._held = self._held[:length], self._held[length:]
        return text

    def _drop(self, part: Part, width: int) -> Piece:
        self._cut(width)
        return Piece(part, width)

    def _take(self, part: Part, text: str) -> Iterator[Piece]:
        if text:
            yield self._piece(part, self._cut(len(text)))

    def _piece(self, part: Part, text: str) -> Piece:
        return Piece(part, len(text), self._shape.marks.decode(text))


def _encoded(calls: CallFormat, shape: Shape) -> CallFormat:
    encode = shape.marks.encode
    return replace(
        calls,
        opens=encode(calls.opens),
        middle=encode(calls.middle),
        between=None if calls.between is None else encode(calls.between),
        closes=encode(calls.closes),
    )


def _overlap(text: str, mark: str, last: bool) -> int:
    """Length of the longest end of `text` with which the mark begins; 0 when nothing follows."""
    if last:
        return 0
    lengths = range(min(len(mark) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(mark[:length])), 0)
