"""The tasks with the whole answer: status, headers, body, and the result that was read from it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, Never, Unpack

from llmaas_client.raw import RawResponse

from .chat_request import Messages, chat_call
from .classify import Classify
from .embed import Embed
from .fields import Out
from .options import ChatOptions, check, taking
from .summarize import Summarize

if TYPE_CHECKING:
    from llmaas_client.reply import ChatReply
    from llmaas_client.steps import Call
    from llmaas_client.wire.classify import ClassifyResult
    from llmaas_client.wire.embed import EmbedResult
    from llmaas_client.wire.summarize import SummarizeResult


class RawChat(Generic[Out]):
    """One answer of a chat."""

    def __init__(self, run: Callable[[Call[Any]], Out]) -> None:
        self._run = run

    @taking(ChatOptions)
    def __call__(
        self, messages: Messages, *, returns: Any = None, **options: Unpack[ChatOptions]
    ) -> Out:
        """Takes what `client.chat` takes."""
        from llmaas_client.structured.wanted import wanted_of

        check(options, ChatOptions, "chat")
        return self._run(chat_call(messages, options, wanted_of(returns)))


class Raw:
    """Of `Client`.

    client.raw.chat("Hello").headers["x-request-id"]
    """

    def __init__(self, run: Callable[[Call[Any]], RawResponse[Any]]) -> None:
        self._run = run

    @cached_property
    def classify(self) -> Classify[RawResponse[ClassifyResult], Never, Never]:
        return Classify(self._run)

    @cached_property
    def summarize(self) -> Summarize[RawResponse[SummarizeResult], Never, Never, Never]:
        return Summarize(self._run, _no_stream)

    @cached_property
    def chat(self) -> RawChat[RawResponse[ChatReply[Any]]]:
        return RawChat(self._run)

    @cached_property
    def embed(self) -> Embed[RawResponse[EmbedResult], Never, Never]:
        return Embed(self._run)


class AsyncRaw:
    """The same of `AsyncClient`, to be awaited."""

    def __init__(self, run: Callable[[Call[Any]], Coroutine[Any, Any, RawResponse[Any]]]) -> None:
        self._run = run

    @cached_property
    def classify(self) -> Classify[Coroutine[Any, Any, RawResponse[ClassifyResult]], Never, Never]:
        return Classify(self._run)

    @cached_property
    def summarize(
        self,
    ) -> Summarize[Coroutine[Any, Any, RawResponse[SummarizeResult]], Never, Never, Never]:
        return Summarize(self._run, _no_stream)

    @cached_property
    def chat(self) -> RawChat[Coroutine[Any, Any, RawResponse[ChatReply[Any]]]]:
        return RawChat(self._run)

    @cached_property
    def embed(self) -> Embed[Coroutine[Any, Any, RawResponse[EmbedResult]], Never, Never]:
        return Embed(self._run)


def _no_stream(call: Call[Any]) -> Never:
    raise TypeError("a stream has no raw form: its events are what came")
