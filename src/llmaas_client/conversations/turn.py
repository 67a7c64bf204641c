"""One turn: a message, the calls of tools that it leads to, and the answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from llmaas_client.errors import ConfigurationError, StepLimitReached
from llmaas_client.plans import Asker
from llmaas_client.reply import ChatReply
from llmaas_client.steps import Flow
from llmaas_client.wire.chat import Message

from .history import History, Turn
from .overflow import Policy
from .room import Room

if TYPE_CHECKING:
    from llmaas_client.structured.wanted import Wanted
    from llmaas_client.tools.belt import Belt
    from llmaas_client.tools.steps import Step

MAX_STEPS = 8

LOOP = ("max_steps", "approve", "on_tool_error")
"""Options that the server knows nothing of."""


def belt_of(options: Mapping[str, Any], *, awaits: bool) -> Belt | None:
    """The tools that `options` name; None where they name none. Raises ConfigurationError.

    `awaits` is whether coroutine functions can be called.
    """
    if not options.get("tools"):
        return None
    from llmaas_client.tools.belt import Belt

    return Belt(
        options["tools"],
        options.get("approve"),
        options.get("on_tool_error") or "tell",
        awaits=awaits,
    )


def take_turn(
    asker: Asker,
    history: History,
    said: Sequence[Message],
    options: Mapping[str, Any],
    *,
    policy: Policy = "error",
    belt: Belt | None = None,
    wanted: Wanted | None = None,
    stream: bool = False,
) -> Flow[tuple[Turn, ChatReply[Any]]]:
    """Answer `said`. Nothing of the history is changed: the turn is the caller's to keep.

    Raises LLMaaSError, StepLimitReached among them.
    """
    max_steps: int = MAX_STEPS if options.get("max_steps") is None else options["max_steps"]
    if (options.get("n") or 1) > 1:
        raise ConfigurationError("n asks for several answers, and a conversation goes on with one")
    if max_steps < 1:
        raise ConfigurationError(f"max_steps is {max_steps}", hint="1 is the answer alone.")
    sent = {name: value for name, value in options.items() if name not in LOOP}
    if belt is not None:
        sent["tools"] = belt.specs()
    room = Room(history, policy, sent)
    pending = list(said)
    steps: list[Step] = []
    changes: dict[str, Any] = {}
    while True:
        reply = yield from room.answer(asker, pending, wanted, stream=stream, **changes)
        if belt is None or not reply.message.tool_calls:
            break
        if len(steps) + 1 == max_steps:
            raise StepLimitReached(
                f"after {max_steps} steps the model still calls tools",
                hint="Raise max_steps, or tell the model when to stop; .steps has what it did.",
                steps=tuple(steps),
                messages=[*history.sent(), *pending],
            )
        step = yield from _step(belt, reply)
        steps.append(step)
        pending += step.messages()
        changes = {"tool_choice": None}  # what had to be called was called
    from llmaas_client.tools.steps import spoken

    turn = Turn(messages=(*pending, spoken(reply)), overflow=room.overflow)
    return turn, reply.after(tuple(steps), room.overflow)


def _step(belt: Belt, reply: ChatReply[Any]) -> Flow[Step]:
    from llmaas_client.tools.steps import Step, ToolRun

    runs: list[ToolRun] = []
    for call in reply.message.tool_calls:
        runs.append((yield from belt.carry_out(call)))
    return Step(reply, tuple(runs))
