"""Sessions: conversations that remember what was said."""

from __future__ import annotations

import threading
from collections.abc import Callable, Coroutine, Generator, Mapping
from contextlib import contextmanager
from os import PathLike
from typing import TYPE_CHECKING, Any, Generic, Self, TypeVar, Unpack, get_args, overload

from pydantic import ValidationError

from llmaas_client import refusals
from llmaas_client.errors import ConfigurationError, InvalidRequest
from llmaas_client.plans import Asker, Plan
from llmaas_client.reply import ChatReply, V
from llmaas_client.steps import Flow
from llmaas_client.streams import AsyncStream, Stream
from llmaas_client.structured.wanted import wanted_of
from llmaas_client.tasks.options import LoopOptions, RunOptions, check, taking
from llmaas_client.wire.chat import Message
from llmaas_client.wire.validation import explain

from . import saved
from .history import History, Turn
from .overflow import Policy
from .turn import belt_of, take_turn

if TYPE_CHECKING:
    from llmaas_client.labels import LiteralForm


class _Session:
    """What is remembered, and how to answer the next message."""

    _awaits = False

    def __init__(
        self,
        carry_out: Callable[[Plan[Any]], Any],
        follow: Callable[..., Any],
        history: History,
        policy: Policy,
        options: Mapping[str, Any],
    ) -> None:
        check(options, LoopOptions, "session")
        if policy not in get_args(Policy):
            raise ConfigurationError(
                f"overflow is {policy!r}", hint=f"It is one of: {', '.join(get_args(Policy))}."
            )
        belt_of(options, awaits=self._awaits)  # what is wrong with the tools is said here
        self._carry_out = carry_out
        self._follow = follow
        self._history = history
        self._policy: Policy = policy
        self._options = dict(options)
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)} turns)"

    def _repr_html_(self) -> str:
        """What notebooks show: the conversation."""
        from llmaas_client.html.talk import transcript

        said = [message for turn in self._history.turns for message in turn.messages]
        return transcript(said, "1 turn" if len(self) == 1 else f"{len(self)} turns")

    def __len__(self) -> int:
        """How many turns there were."""
        return len(self._history.turns)

    @property
    def system(self) -> str | None:
        """What the model is to be."""
        return self._history.system

    @property
    def overflow(self) -> Policy:
        """What happens when the history exceeds the model's context."""
        return self._policy

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All that was said, by turns; those too that are not sent any more."""
        return self._history.turns

    @property
    def messages(self) -> list[Message]:
        """What is sent along with the next message."""
        return self._history.sent()

    @property
    def dropped(self) -> tuple[Message, ...]:
        """What is not sent any more, because it exceeded the model's context."""
        return self._history.dropped

    @property
    def summary(self) -> str | None:
        """What is sent instead of what was dropped, where it was summarized."""
        return self._history.summary

    def fork(self) -> Self:
        """Another session with the same past; from here on they know nothing of each other."""
        return type(self)(self._carry_out, self._follow, self._history, self._policy, self._options)

    def undo(self) -> tuple[Message, ...]:
        """Take the last turn back: the user's message, the answer, and what came between.

        Gives the messages that were taken back. Raises ValueError where there is no turn.
        """
        with self._alone():
            if not self._history.turns:
                raise ValueError("there is nothing to undo: nothing was said")
            undone = self._history.turns[-1]
            self._history = self._history.without_last()
        return undone.messages

    def clear(self) -> None:
        """Forget all that was said; the system message stays."""
        with self._alone():
            self._history = History(self._history.system)

    def save(self, path: str | PathLike[str]) -> None:
        """Write the session to a file that its owner alone can read, whole or not at all.

        Tools, `approve` and `timeout` are not in it. Raises OSError.
        """
        history = self._history
        saved.write(
            path,
            saved.SavedSession(
                system=history.system,
                overflow=self._policy,
                options=saved.savable(self._options),
                turns=history.turns,
            ),
        )

    def _plan(
        self, message: str | Message, returns: Any, options: Mapping[str, Any], stream: bool
    ) -> Plan[ChatReply[Any]]:
        check(options, LoopOptions, "send")
        merged = self._options | dict(options)
        said = _said(message)
        wanted = wanted_of(returns)
        belt = belt_of(merged, awaits=self._awaits)

        def plan(asker: Asker) -> Flow[ChatReply[Any]]:
            with self._alone():
                turn, reply = yield from take_turn(
                    asker,
                    self._history,
                    [said],
                    merged,
                    policy=self._policy,
                    belt=belt,
                    wanted=wanted,
                    stream=stream,
                )
                self._history = self._history.after(turn)
            return reply

        return plan

    @contextmanager
    def _alone(self) -> Generator[None]:
        if not self._lock.acquire(blocking=False):
            raise RuntimeError("a session has one turn at a time; fork() it for another")
        try:
            yield
        finally:
            self._lock.release()


class Session(_Session):
    """A conversation that remembers.

        talk = client.chat.session(system="Answer in one sentence.")
        talk.send("My name is Ada.")
        talk.send("What is my name?").text

    An answer that fails, or that is left early, leaves the session as it was.
    """

    @overload
    def send(
        self, message: str | Message, *, returns: None = None, **options: Unpack[LoopOptions]
    ) -> ChatReply[str]: ...
    @overload
    def send(
        self, message: str | Message, *, returns: type[V], **options: Unpack[LoopOptions]
    ) -> ChatReply[V]: ...
    @overload
    def send(
        self, message: str | Message, *, returns: LiteralForm, **options: Unpack[LoopOptions]
    ) -> ChatReply[Any]: ...
    @taking(LoopOptions)
    def send(
        self, message: str | Message, *, returns: Any = None, **options: Unpack[LoopOptions]
    ) -> Any:
        """The answer to the user's next message. Options are those of `client.chat.run`, for this
        message alone."""
        return self._carry_out(self._plan(message, returns, options, stream=False))

    __call__ = send

    @overload
    def stream(
        self, message: str | Message, *, returns: None = None, **options: Unpack[LoopOptions]
    ) -> Stream[ChatReply[str]]: ...
    @overload
    def stream(
        self, message: str | Message, *, returns: type[V], **options: Unpack[LoopOptions]
    ) -> Stream[ChatReply[V]]: ...
    @overload
    def stream(
        self, message: str | Message, *, returns: LiteralForm, **options: Unpack[LoopOptions]
    ) -> Stream[ChatReply[Any]]: ...
    @taking(LoopOptions)
    def stream(
        self, message: str | Message, *, returns: Any = None, **options: Unpack[LoopOptions]
    ) -> Any:
        """The same as a stream of text. It is remembered when the stream is at its end."""
        return self._follow(self._plan(message, returns, options, stream=True))


class AsyncSession(_Session):
    """A conversation that remembers: as `Session`, to be awaited."""

    _awaits = True

    @overload
    def send(
        self, message: str | Message, *, returns: None = None, **options: Unpack[LoopOptions]
    ) -> Coroutine[Any, Any, ChatReply[str]]: ...
    @overload
    def send(
        self, message: str | Message, *, returns: type[V], **options: Unpack[LoopOptions]
    ) -> Coroutine[Any, Any, ChatReply[V]]: ...
    @overload
    def send(
        self, message: str | Message, *, returns: LiteralForm, **options: Unpack[LoopOptions]
    ) -> Coroutine[Any, Any, ChatReply[Any]]: ...
    @taking(LoopOptions)
    def send(
        self, message: str | Message, *, returns: Any = None, **options: Unpack[LoopOptions]
    ) -> Any:
        """The answer to the user's next message. Options are those of `client.chat.run`, for this
        message alone."""
        return self._carry_out(self._plan(message, returns, options, stream=False))

    __call__ = send

    @overload
    def stream(
        self, message: str | Message, *, returns: None = None, **options: Unpack[LoopOptions]
    ) -> AsyncStream[ChatReply[str]]: ...
    @overload
    def stream(
        self, message: str | Message, *, returns: type[V], **options: Unpack[LoopOptions]
    ) -> AsyncStream[ChatReply[V]]: ...
    @overload
    def stream(
        self, message: str | Message, *, returns: LiteralForm, **options: Unpack[LoopOptions]
    ) -> AsyncStream[ChatReply[Any]]: ...
    @taking(LoopOptions)
    def stream(
        self, message: str | Message, *, returns: Any = None, **options: Unpack[LoopOptions]
    ) -> Any:
        """The same as a stream of text. It is remembered when the stream is at its end."""
        return self._follow(self._plan(message, returns, options, stream=True))


S = TypeVar("S", bound=_Session)


class _Sessions(Generic[S]):
    """Begins sessions, and goes on with those that were saved."""

    _kind: Callable[..., S]

    def __init__(self, carry_out: Callable[[Plan[Any]], Any], follow: Callable[..., Any]) -> None:
        self._carry_out = carry_out
        self._follow = follow

    @taking(RunOptions)
    def __call__(self, *, overflow: Policy = "error", **options: Unpack[RunOptions]) -> S:
        """Begin a conversation.

        Args:
            overflow: What to do when the history exceeds the model's context: "error" raises
                ContextOverflow with the numbers; "drop_oldest" leaves out the oldest turns;
                "summarize_oldest" sends a summary instead of them. The reply's `.overflow` says
                what was done, and room for an answer is kept: `max_tokens`, else 512 tokens or a
                quarter of a small context.
            system: What the model is to be.
            **options: Those of `client.chat.run`, for every message of the session.
        """
        history = History(options.pop("system", None))
        return type(self)._kind(self._carry_out, self._follow, history, overflow, options)

    @taking(LoopOptions)
    def load(self, path: str | PathLike[str], **options: Unpack[LoopOptions]) -> S:
        """Go on with a session that was saved; `options` replace those that it had.

        Raises OSError, or ConfigurationError for a file that is no session or is damaged.
        """
        content = saved.read(path)
        history = History(content.system, content.turns)
        merged = content.options | dict(options)
        return type(self)._kind(self._carry_out, self._follow, history, content.overflow, merged)


class Sessions(_Sessions[Session]):
    """Begins sessions, and goes on with those that were saved."""

    _kind = Session


class AsyncSessions(_Sessions[AsyncSession]):
    """Begins sessions, and goes on with those that were saved."""

    _kind = AsyncSession


def _said(message: str | Message) -> Message:
    if isinstance(message, Message):
        if message.role != "user":
            raise InvalidRequest("a turn begins with a message of the user", param="message")
        return message
    try:
        return Message.model_validate({"role": "user", "content": message})
    except ValidationError as error:
        raise refusals.from_detail(explain(error).error) from None
