"""Making room: one answer within the model's context, by the policy of a session.

The server alone knows tokens. So the request is made, and where it is refused the refusal says
how many tokens are too many: turns go by their share of the characters until it is accepted. A
refusal costs nothing; what was left out is counted exactly by what the server said before and
after.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmaas_client.errors import ContextOverflow, InvalidRequest
from llmaas_client.meter import Used, used_by
from llmaas_client.plans import Asker
from llmaas_client.reply import ChatReply
from llmaas_client.steps import UNSET, Call, Flow
from llmaas_client.tasks.chat_request import chat_call
from llmaas_client.wire.chat import Message
from llmaas_client.wire.summarize import SPEC, SummarizeRequest, SummarizeResult

from .history import History, Turn, messages_of
from .overflow import Overflow, Policy

if TYPE_CHECKING:
    from llmaas_client.clock import Deadline
    from llmaas_client.structured.wanted import Wanted

ANSWER_TOKENS = 512
"""Kept free for an answer where max_tokens says nothing, or a quarter of a small context."""
SUMMARY_SHARE = 8
"""A summary gets an eighth of the context at most."""
WORDS_PER_TOKEN = 0.6
_NAMES = {"user": "User", "assistant": "Assistant", "tool": "Tool"}


class Room:
    """The part of a history that is sent, smaller and smaller until all of it fits."""

    def __init__(self, history: History, policy: Policy, options: Mapping[str, Any]) -> None:
        self._history = history
        self._policy: Policy = policy
        self._options = dict(options)
        self._first = history.first
        self._summary = history.summary
        self._note: str | None = None
        self._used = Used()
        self._before: int | None = None
        self._tokens = 0
        self._reserve: int | None = self._options.get("max_tokens")
        if policy != "error" and self._reserve is None:
            self._reserve = ANSWER_TOKENS

    @property
    def overflow(self) -> Overflow | None:
        """What was left out; None where nothing was."""
        history = self._history
        if (self._first, self._summary) == (history.first, history.summary):
            return None
        left_out = history.turns[history.first : self._first]
        return Overflow(
            policy=self._policy,
            start=history.first,
            end=self._first,
            tokens=None if self._options.get("documents") else self._tokens,
            summary=self._summary,
            note=self._note,
            usage=self._used.usage if self._used.calls else None,
            messages=tuple(message for turn in left_out for message in turn.messages),
        )

    def answer(
        self,
        asker: Asker,
        pending: Sequence[Message],
        wanted: Wanted | None,
        *,
        stream: bool,
        **changes: Any,
    ) -> Flow[ChatReply[Any]]:
        """The answer to all that is sent and `pending`, the turn that is being made."""
        options = self._options | changes
        deadline = asker.until(options.get("timeout", UNSET))
        while True:
            messages = self._messages(pending)
            call = chat_call(messages, options | {"max_tokens": self._reserve}, wanted)
            try:
                reply = yield from asker.ask(call, stream=stream, deadline=deadline)
            except ContextOverflow as error:
                if not self._can_shrink(error):
                    raise
                yield from self._shrink(asker, error, messages, deadline)
            else:
                if self._before is not None:
                    self._tokens += self._before - reply.usage.prompt_tokens
                    self._before = None
                return reply

    def _messages(self, pending: Sequence[Message]) -> list[Message]:
        history = self._history
        return messages_of(history.system, self._summary, history.turns[self._first :], pending)

    def _can_shrink(self, error: ContextOverflow) -> bool:
        if self._policy == "error" or error.needed is None or error.limit is None:
            return False
        return self._own_reserve_is_large(error.limit) or bool(
            self._history.turns[self._first :] or self._summary
        )

    def _own_reserve_is_large(self, limit: int) -> bool:
        return self._options.get("max_tokens") is None and (self._reserve or 1) > max(1, limit // 4)

    def _shrink(
        self,
        asker: Asker,
        error: ContextOverflow,
        messages: Sequence[Message],
        deadline: Deadline,
    ) -> Flow[None]:
        needed, limit = error.needed or 0, error.limit or 0
        prompt = needed - (self._reserve or 1)
        if self._own_reserve_is_large(limit):
            self._reserve = max(1, limit // 4)
            if prompt + self._reserve <= limit:
                return
        if self._before is None:
            self._before = prompt
        turns = self._history.turns[self._first :]
        if not turns:  # the summary itself is what is left to give up
            self._summary = None
            return
        excess = prompt + (self._reserve or 1) - limit
        if self._policy == "summarize_oldest":
            excess += limit // SUMMARY_SHARE
        share = excess / max(prompt, 1) * sum(map(_size, messages))
        count = _oldest(turns, share)
        if self._policy == "summarize_oldest":
            yield from self._summarize(asker, turns[:count], limit, deadline)
        self._first += count

    def _summarize(
        self, asker: Asker, turns: Sequence[Turn], limit: int, deadline: Deadline
    ) -> Flow[None]:
        text = "\n".join([*filter(None, [self._summary]), *map(_told, turns)])
        words = max(20, int(limit / SUMMARY_SHARE * WORDS_PER_TOKEN))
        request = SummarizeRequest(text=text, length="medium", max_words=min(words, 10_000))
        call = Call(SPEC.path, SummarizeResult.model_validate_json, request=lambda: request)
        try:
            result = yield from asker.ask(call, deadline=deadline)
        except InvalidRequest as error:  # nothing in it that a summary could be made of
            self._summary, self._note = None, f"no summary was made: {error.message}"
            return
        self._summary, self._note = result.summary or None, None
        self._used += used_by(result)


def _oldest(turns: Sequence[Turn], size: float) -> int:
    """How many of the oldest turns have so much in them; one at least."""
    for count, turn in enumerate(turns, start=1):
        size -= sum(map(_size, turn.messages))
        if size <= 0:
            return count
    return len(turns)


def _size(message: Message) -> int:
    """Characters, with some for what a template puts around a message."""
    calls = sum(len(str(call.arguments)) for call in message.tool_calls or ())
    return 20 + len(message.text) + calls


def _told(turn: Turn) -> str:
    return "\n".join(
        f"{_NAMES[message.role]}: {message.text.strip()}"
        for message in turn.messages
        if message.text.strip()
    )
