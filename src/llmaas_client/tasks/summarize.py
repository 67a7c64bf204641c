"""Summarize."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from pydantic_core import to_json

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.summarize import (
    SPEC,
    Length,
    Method,
    Strategy,
    Style,
    SummarizeRequest,
    SummarizeResult,
)

from .fields import Live, Out, Texts, given, reading
from .mapped import Each, Many, Mapped, Mapper, given_back

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapItem, MapResult
    from llmaas_client.batch.work import Work
    from llmaas_client.streams import AsyncStream, Stream


class Summarize(Mapped[Texts, Many, Each], Generic[Out, Live, Many, Each]):
    """A shorter text, and where each of its sentences comes from.

    client.summarize(report, max_words=80).summary
    """

    def __init__(
        self,
        run: Callable[[Call[SummarizeResult]], Out],
        stream: Callable[[Call[SummarizeResult]], Live],
        mapper: Mapper[Many, Each] | None = None,
    ) -> None:
        self._run = run
        self._stream = stream
        self._mapper = mapper

    def __call__(
        self,
        text: Texts,
        *,
        method: Method | None = None,
        length: Length | None = None,
        max_words: int | None = None,
        style: Style | None = None,
        focus: str | None = None,
        strict: bool = False,
        strategy: Strategy | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Out:
        """Summarize a text of any length, or several documents as one.

        Args:
            text: A text, or a list of documents.
            method: `extractive` picks sentences of the source, `abstractive` writes new ones.
            length: `short`, `medium` or `long`: about 2, 4 or 8 sentences.
            max_words: Most words; never exceeded. Text without spaces counts characters.
            style: `paragraph`, `bullets` or `headline`.
            focus: A question or a topic that the summary is to be about.
            strict: Leave out every sentence that the text does not support.
            strategy: How an abstractive summary reads what one prompt cannot hold: `extract`
                from its best sentences, or `hierarchical`, in parts that are merged.
            model: A model's name; without it the server's default for this task.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        fields = _fields(text, method, length, max_words, style, focus, strict, strategy, model)
        return self._run(_call(fields, timeout))

    def stream(
        self,
        text: Texts,
        *,
        method: Method | None = None,
        length: Length | None = None,
        max_words: int | None = None,
        style: Style | None = None,
        focus: str | None = None,
        strict: bool = False,
        strategy: Strategy | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Live:
        """The same as a stream: `Progress` of the parts, text as it is found or written.

        Takes what the call takes; `timeout` is for the whole stream.
        """
        fields = _fields(text, method, length, max_words, style, focus, strict, strategy, model)
        return self._stream(_call(fields, timeout))

    def _work(self, arguments: Mapping[str, Any]) -> Work[Texts, SummarizeResult]:
        from llmaas_client.batch.work import Work

        ask = Summarize[Any, Any, Any, Any](given_back, given_back)
        return Work(
            task=SPEC.name,
            call=lambda texts: ask(texts[0], **arguments),
            split=lambda result: [result],
            most=1,
            example="x",
            field="text",
            dump=lambda result: result.model_dump(mode="json"),
            load=lambda saved, text: reading(SummarizeResult, text)(to_json(saved)),
            row=row_of,
        )


def row_of(result: SummarizeResult) -> dict[str, Any]:
    """Columns of a table."""
    return {
        "summary": result.summary,
        "words": result.words,
        "coverage": result.coverage,
        "method": result.method,
    }


def _fields(
    text: Texts,
    method: Method | None,
    length: Length | None,
    max_words: int | None,
    style: Style | None,
    focus: str | None,
    strict: bool,
    strategy: Strategy | None,
    model: str | None,
) -> dict[str, Any]:
    return {
        "text": text,
        "method": method,
        "length": length,
        "max_words": max_words,
        "style": style,
        "focus": focus,
        "strict": strict or None,
        "strategy": strategy,
        "model": model,
    }


def _call(fields: dict[str, Any], timeout: Timeout) -> Call[SummarizeResult]:
    return Call(
        path=SPEC.path,
        request=lambda: SummarizeRequest.model_validate(given(fields)),
        read=reading(SummarizeResult, fields["text"]),
        timeout=timeout,
    )


if TYPE_CHECKING:
    SyncSummarize: TypeAlias = Summarize[
        SummarizeResult,
        Stream[SummarizeResult],
        MapResult[SummarizeResult],
        Generator[MapItem[SummarizeResult]],
    ]
    AsyncSummarize: TypeAlias = Summarize[
        Coroutine[Any, Any, SummarizeResult],
        AsyncStream[SummarizeResult],
        Coroutine[Any, Any, MapResult[SummarizeResult]],
        AsyncGenerator[MapItem[SummarizeResult]],
    ]
