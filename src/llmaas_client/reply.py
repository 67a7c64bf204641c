"""What a chat gives back in Python: the result of the wire, and what the client made of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar

from pydantic import PrivateAttr

from .wire.base import Usage
from .wire.chat import ChatResult

if TYPE_CHECKING:
    from .conversations.overflow import Overflow
    from .structured.wanted import Wanted
    from .tools.steps import Step

V = TypeVar("V")


class ChatReply(ChatResult, Generic[V]):
    """An answer. `value` is of the type that `returns` named, and the text where it named none."""

    _values: tuple[Any, ...] = PrivateAttr(default=())
    _steps: tuple[Step, ...] = PrivateAttr(default=())
    _overflow: Overflow | None = PrivateAttr(default=None)

    if not TYPE_CHECKING:

        def __class_getitem__(cls, item: Any) -> Any:
            """For type checkers alone: pydantic would make, and keep, a class for each type."""
            return cls

    @classmethod
    def read(cls, body: bytes, wanted: Wanted | None) -> ChatReply[Any]:
        """From the body of an answer. Raises ValidationError, OutputTruncated, OutputMismatch."""
        reply: ChatReply[Any] = cls.model_validate_json(body)
        answers = reply.answers
        if wanted is None:
            reply._values = tuple(answer.text for answer in answers)
        elif not any(answer.message.tool_calls for answer in answers):
            reply._values = tuple(wanted.value_of(answer, reply) for answer in answers)
        return reply

    def after(self, steps: tuple[Step, ...], overflow: Overflow | None) -> Self:
        """The same answer, with what came before it."""
        self._steps = steps
        self._overflow = overflow
        return self

    @property
    def value(self) -> V:
        """The answer as a value of the type that was asked for.

        Raises ValueError where the model called tools rather than answer.
        """
        return self.values[0]

    @property
    def values(self) -> tuple[V, ...]:
        """The values of all answers, where `n` asked for more than one."""
        if not self._values:
            raise ValueError("the model called tools: there is no answer yet, see .tool_calls")
        return self._values

    @property
    def steps(self) -> tuple[Step, ...]:
        """Every earlier answer in which the model called tools, with what they brought."""
        return self._steps

    @property
    def overflow(self) -> Overflow | None:
        """What a session left out, for this answer, of a history beyond the model's context."""
        return self._overflow

    @property
    def total_usage(self) -> Usage:
        """The tokens of all steps and of this answer together."""
        used = [*(step.answer.usage for step in self._steps), self.usage]
        return Usage(
            prompt_tokens=sum(one.prompt_tokens for one in used),
            cached_tokens=sum(one.cached_tokens for one in used),
            completion_tokens=sum(one.completion_tokens for one in used),
        )
