"""Embed."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.embed import SPEC, EmbedRequest, EmbedResult

from .fields import Out, Texts, given, reading
from .mapped import Each, Many, Mapped, Mapper, given_back

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapItem, MapResult
    from llmaas_client.batch.work import Work


class Embed(Mapped[str, Many, Each], Generic[Out, Many, Each]):
    """Texts as unit vectors, near each other where their meanings are.

    client.embed("Hello").embedding
    """

    def __init__(
        self, run: Callable[[Call[EmbedResult]], Out], mapper: Mapper[Many, Each] | None = None
    ) -> None:
        self._run = run
        self._mapper = mapper

    def __call__(
        self,
        text: Texts,
        *,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Out:
        """Embed one text, or several in one request.

        Args:
            text: A text, or a list of them; `embeddings` keeps their order.
            model: A model's name; without it the server's default for this task.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        fields = {"text": text, "model": model}
        return self._run(
            Call(
                path=SPEC.path,
                request=lambda: EmbedRequest.model_validate(given(fields)),
                read=reading(EmbedResult, text),
                timeout=timeout,
            )
        )

    def _work(self, arguments: Mapping[str, Any]) -> Work[str, list[float]]:
        from llmaas_client.batch.work import TEXTS, Work

        ask = Embed[Any, Any, Any](given_back)
        return Work(
            task=SPEC.name,
            call=lambda texts: ask(texts, **arguments),
            split=_vectors,
            most=TEXTS,
            example="x",
            field="text",
            dump=list,
            load=lambda saved, _: list(saved),
            row=row_of,
        )


def row_of(vector: list[float]) -> dict[str, Any]:
    """The column of a table."""
    return {"embedding": vector}


def _vectors(result: EmbedResult) -> list[list[float]]:
    return result.embeddings


if TYPE_CHECKING:
    SyncEmbed: TypeAlias = Embed[
        EmbedResult, MapResult[list[float]], Generator[MapItem[list[float]]]
    ]
    AsyncEmbed: TypeAlias = Embed[
        Coroutine[Any, Any, EmbedResult],
        Coroutine[Any, Any, MapResult[list[float]]],
        AsyncGenerator[MapItem[list[float]]],
    ]
