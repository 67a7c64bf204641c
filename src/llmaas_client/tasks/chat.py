"""Chat."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Unpack, overload

from pydantic_core import to_json

from llmaas_client.errors import InvalidRequest
from llmaas_client.plans import Asker, Plan
from llmaas_client.reply import ChatReply, V
from llmaas_client.steps import Flow
from llmaas_client.streams import AsyncStream, Stream
from llmaas_client.wire.chat import SPEC

from .chat_request import Messages as Messages
from .chat_request import chat_call, conversation
from .mapped import Each, Many, Mapped, Mapper
from .options import ChatOptions, RunOptions, check, taking

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapItem, MapResult
    from llmaas_client.batch.work import Work
    from llmaas_client.conversations.session import AsyncSessions, Sessions
    from llmaas_client.labels import LiteralForm


class _Chat(Mapped[Messages, Many, Each]):
    """What both clients' chats do."""

    def __init__(
        self,
        carry_out: Callable[[Plan[Any]], Any],
        follow: Callable[..., Any],
        mapper: Mapper[Many, Each],
    ) -> None:
        self._carry_out = carry_out
        self._follow = follow
        self._mapper = mapper

    def _work(self, arguments: Mapping[str, Any]) -> Work[Messages, ChatReply[Any]]:
        from llmaas_client.batch.work import Work
        from llmaas_client.structured.wanted import wanted_of

        options = {name: item for name, item in arguments.items() if name != "returns"}
        wanted = wanted_of(arguments.get("returns"))
        return Work(
            task=SPEC.name,
            call=lambda inputs: chat_call(inputs[0], options, wanted),
            split=lambda reply: [reply],
            most=1,
            example="x",
            field="messages",
            dump=lambda reply: reply.model_dump(mode="json"),
            load=lambda saved, _: ChatReply.read(to_json(saved), wanted),
            row=row_of,
        )


def row_of(reply: ChatReply[Any]) -> dict[str, Any]:
    """Columns of a table."""
    return {"text": reply.text, "value": reply.value, "finish_reason": reply.finish_reason}


if TYPE_CHECKING:
    _OneAfterTheOther = _Chat[MapResult[ChatReply[Any]], Generator[MapItem[ChatReply[Any]]]]
    _Awaited = _Chat[
        Coroutine[Any, Any, MapResult[ChatReply[Any]]], AsyncGenerator[MapItem[ChatReply[Any]]]
    ]
else:
    _OneAfterTheOther = _Awaited = _Chat


class Chat(_OneAfterTheOther):
    """The next message of a conversation.

    client.chat("Hello").text
    """

    @overload
    def __call__(
        self, messages: Messages, *, returns: None = None, **options: Unpack[ChatOptions]
    ) -> ChatReply[str]: ...
    @overload
    def __call__(
        self, messages: Messages, *, returns: type[V], **options: Unpack[ChatOptions]
    ) -> ChatReply[V]: ...
    @overload
    def __call__(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[ChatOptions]
    ) -> ChatReply[Any]: ...
    @taking(ChatOptions)
    def __call__(
        self, messages: Messages, *, returns: Any = None, **options: Unpack[ChatOptions]
    ) -> Any:
        """Answer a message, or go on with a conversation.

        Sampling arguments that are left out take the model's own defaults.

        Args:
            messages: The user's message, or messages `{"role": …, "content": …}`, the last one
                the user's or a tool's. A result's `.message` can be put among them as it is.
            returns: The type of `reply.value`: a pydantic model, a dataclass, a TypedDict, a
                Literal, an Enum, list[…], int and so on. The answer can be nothing else.
            system: What the model is to be; the first message of the conversation.
            max_tokens: Most tokens of the answer.
            temperature: 0 always takes the likeliest token.
            top_p: Sample from the likeliest tokens that have this probability together.
            top_k: Sample from the k likeliest tokens.
            min_p: Leave out tokens less likely than this share of the likeliest.
            seed: The same seed gives the same answer.
            stop: Text, or texts, that end the answer; not part of it.
            response_format: What the answer must be, as the wire has it:
                `{"type": "json_schema", "schema": …}`, `{"type": "regex", "pattern": …}`,
                `{"type": "choice", "choices": […]}` or `{"type": "json"}`.
            documents: What the answer is to rest on: texts, or
                `{"text": …, "title": …, "id": …}`. The passages nearest to the question are
                given to the model; see the result's `.passages` and `.citations`.
            tools: What the model may call: functions, or `{"name": …, "description": …,
                "parameters": …}`. Calls are in the result's `.message.tool_calls`; `run` also
                carries them out.
            tool_choice: "auto", "none", "required", or `{"name": …}` of the tool to call.
            parallel_tool_calls: False allows one call at most in an answer.
            n: How many answers to make; all of them are in the result's `.answers`.
            reasoning: Of models that mark it: "hide" leaves it out, "off" asks for none.
            repetition_penalty: Above 1, tokens that were there already become less likely.
            logprobs: Return the log-probability of each token.
            top_logprobs: Also that of so many likeliest tokens; needs `logprobs`.
            model: A model's name; without it the server's default for this task.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            OutputError: an answer that was cut, or that is no valid value of `returns`.
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        return self._carry_out(one_answer(messages, returns, options))

    @overload
    def stream(
        self, messages: Messages, *, returns: None = None, **options: Unpack[ChatOptions]
    ) -> Stream[ChatReply[str]]: ...
    @overload
    def stream(
        self, messages: Messages, *, returns: type[V], **options: Unpack[ChatOptions]
    ) -> Stream[ChatReply[V]]: ...
    @overload
    def stream(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[ChatOptions]
    ) -> Stream[ChatReply[Any]]: ...
    @taking(ChatOptions)
    def stream(
        self, messages: Messages, *, returns: Any = None, **options: Unpack[ChatOptions]
    ) -> Any:
        """The same as a stream of text.

        Takes what the call takes; `timeout` is for the whole stream. A value comes at the end.
        """
        return self._follow(one_answer(messages, returns, options, stream=True))

    @overload
    def run(
        self, messages: Messages, *, returns: None = None, **options: Unpack[RunOptions]
    ) -> ChatReply[str]: ...
    @overload
    def run(
        self, messages: Messages, *, returns: type[V], **options: Unpack[RunOptions]
    ) -> ChatReply[V]: ...
    @overload
    def run(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[RunOptions]
    ) -> ChatReply[Any]: ...
    @taking(RunOptions)
    def run(self, messages: Messages, *, returns: Any = None, **options: Unpack[RunOptions]) -> Any:
        """Answer a message by calling tools until the model needs no more of them.

        client.chat.run("Where is order 7?", tools=[get_order_status]).text

        Takes what the call takes, and:

        Args:
            tools: Typed Python functions. Their names, types and docstrings are told to the model;
                its arguments are validated before a function is called.
            max_steps: Most answers of the model, the last one among them; 8 where it is left out.
            approve: Asked before each call with the `ToolCall`: True goes on, False tells the
                model that the call was not allowed, a mapping goes on with these arguments.
            on_tool_error: What a function raises is told to the model ("tell", also where it is
                left out), or is raised here ("raise").
            timeout: Seconds for each answer of the model; your functions take their own time.

        Raises:
            StepLimitReached: after `max_steps` the model still calls tools; `.steps` has them.
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        return self._carry_out(answer_with_tools(messages, returns, options))

    @property
    def session(self) -> Sessions:
        """Conversations that remember: `session(system=…)` begins one, `session.load(path)` goes
        on with one that was saved."""
        from llmaas_client.conversations.session import Sessions

        return Sessions(self._carry_out, self._follow)


class AsyncChat(_Awaited):
    """The next message of a conversation.

    (await client.chat("Hello")).text
    """

    @overload
    def __call__(
        self, messages: Messages, *, returns: None = None, **options: Unpack[ChatOptions]
    ) -> Coroutine[Any, Any, ChatReply[str]]: ...
    @overload
    def __call__(
        self, messages: Messages, *, returns: type[V], **options: Unpack[ChatOptions]
    ) -> Coroutine[Any, Any, ChatReply[V]]: ...
    @overload
    def __call__(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[ChatOptions]
    ) -> Coroutine[Any, Any, ChatReply[Any]]: ...
    @taking(ChatOptions)
    def __call__(
        self, messages: Messages, *, returns: Any = None, **options: Unpack[ChatOptions]
    ) -> Any:
        """Answer a message, or go on with a conversation: as `Client.chat`."""
        return self._carry_out(one_answer(messages, returns, options))

    @overload
    def stream(
        self, messages: Messages, *, returns: None = None, **options: Unpack[ChatOptions]
    ) -> AsyncStream[ChatReply[str]]: ...
    @overload
    def stream(
        self, messages: Messages, *, returns: type[V], **options: Unpack[ChatOptions]
    ) -> AsyncStream[ChatReply[V]]: ...
    @overload
    def stream(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[ChatOptions]
    ) -> AsyncStream[ChatReply[Any]]: ...
    @taking(ChatOptions)
    def stream(
        self, messages: Messages, *, returns: Any = None, **options: Unpack[ChatOptions]
    ) -> Any:
        """The same as a stream of text: as `Client.chat.stream`."""
        return self._follow(one_answer(messages, returns, options, stream=True))

    @overload
    def run(
        self, messages: Messages, *, returns: None = None, **options: Unpack[RunOptions]
    ) -> Coroutine[Any, Any, ChatReply[str]]: ...
    @overload
    def run(
        self, messages: Messages, *, returns: type[V], **options: Unpack[RunOptions]
    ) -> Coroutine[Any, Any, ChatReply[V]]: ...
    @overload
    def run(
        self, messages: Messages, *, returns: LiteralForm, **options: Unpack[RunOptions]
    ) -> Coroutine[Any, Any, ChatReply[Any]]: ...
    @taking(RunOptions)
    def run(self, messages: Messages, *, returns: Any = None, **options: Unpack[RunOptions]) -> Any:
        """Answer a message by calling tools until the model needs no more of them.

        As `Client.chat.run`. Coroutine functions among `tools`, and such an `approve`, are awaited;
        others run in a thread.
        """
        return self._carry_out(answer_with_tools(messages, returns, options, awaits=True))

    @property
    def session(self) -> AsyncSessions:
        """Conversations that remember: `session(system=…)` begins one, `session.load(path)` goes
        on with one that was saved."""
        from llmaas_client.conversations.session import AsyncSessions

        return AsyncSessions(self._carry_out, self._follow)


def one_answer(
    messages: Messages, returns: Any, options: Mapping[str, Any], *, stream: bool = False
) -> Plan[ChatReply[Any]]:
    """One request. Raises TypeError, UnsupportedType, InvalidRequest."""
    from llmaas_client.structured.wanted import wanted_of

    check(options, ChatOptions, "chat")
    call = chat_call(messages, options, wanted_of(returns))
    return lambda asker: asker.ask(call, stream=stream)


def answer_with_tools(
    messages: Messages, returns: Any, options: Mapping[str, Any], *, awaits: bool = False
) -> Plan[ChatReply[Any]]:
    """Requests and calls of tools. Raises TypeError, UnsupportedType, ConfigurationError."""
    from pydantic import ValidationError

    from llmaas_client import refusals
    from llmaas_client.conversations.history import History
    from llmaas_client.conversations.turn import belt_of, take_turn
    from llmaas_client.structured.wanted import wanted_of
    from llmaas_client.wire.chat import Message
    from llmaas_client.wire.validation import explain

    check(options, RunOptions, "run")
    belt = belt_of(options, awaits=awaits)
    if belt is None:
        raise InvalidRequest("run() calls tools, and there are none", param="tools")
    wanted = wanted_of(returns)
    told = {name: value for name, value in options.items() if name != "system"}
    try:
        said = [
            Message.model_validate(message)
            for message in conversation(messages, options.get("system"))
        ]
    except ValidationError as error:
        raise refusals.from_detail(explain(error).error) from None

    def plan(asker: Asker) -> Flow[ChatReply[Any]]:
        _, reply = yield from take_turn(asker, History(), said, told, belt=belt, wanted=wanted)
        return reply

    return plan
