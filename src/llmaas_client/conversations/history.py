"""What was said, as values: turns that stay, and from where on they are sent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated

from pydantic import Field

from llmaas_client.wire.base import WireModel
from llmaas_client.wire.chat import Message

from .overflow import Overflow

SUMMARY = "(Earlier in this conversation, in short: {summary})\n\n{content}"
"""How the user's oldest message that is still sent begins, where older ones were summarized."""


class Turn(WireModel):
    """A message of the user, and all that came of it: calls, results, the answer."""

    messages: Annotated[tuple[Message, ...], Field(min_length=2)]
    overflow: Overflow | None = None
    """What was left out, from this turn on."""


@dataclass(frozen=True, slots=True)
class History:
    """All turns. Those that a policy left out stay here: they are just not sent."""

    system: str | None = None
    turns: tuple[Turn, ...] = ()

    @property
    def overflow(self) -> Overflow | None:
        """What holds now: the last that was left out."""
        return next((turn.overflow for turn in reversed(self.turns) if turn.overflow), None)

    @property
    def first(self) -> int:
        """The first turn that is still sent."""
        return 0 if self.overflow is None else self.overflow.end

    @property
    def summary(self) -> str | None:
        """What is sent instead of the turns before `first`."""
        return None if self.overflow is None else self.overflow.summary

    @property
    def dropped(self) -> tuple[Message, ...]:
        """The messages that are not sent any more."""
        return _messages(self.turns[: self.first])

    def sent(self) -> list[Message]:
        """The messages that go along with the next one."""
        return messages_of(self.system, self.summary, self.turns[self.first :], ())

    def after(self, turn: Turn) -> History:
        return replace(self, turns=(*self.turns, turn))

    def without_last(self) -> History:
        """As if the last turn had never been: what it left out is sent again."""
        return replace(self, turns=self.turns[:-1])


def messages_of(
    system: str | None, summary: str | None, turns: Sequence[Turn], pending: Sequence[Message]
) -> list[Message]:
    """A conversation as it is sent; `pending` is the turn that is being made."""
    said = [*_messages(turns), *pending]
    if summary is not None and said:
        # With the user's words rather than the system's: it was made of what users said.
        content = SUMMARY.format(summary=summary, content=said[0].text)
        said[0] = said[0].model_copy(update={"content": content})
    return said if system is None else [Message(role="system", content=system), *said]


def _messages(turns: Sequence[Turn]) -> tuple[Message, ...]:
    return tuple(message for turn in turns for message in turn.messages)
