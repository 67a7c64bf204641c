"""Embed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.embed import SPEC, EmbedRequest, EmbedResult

from .fields import Out, Texts, given


class Embed(Generic[Out]):
    """Texts as unit vectors, near each other where their meanings are.

    client.embed("Hello").embedding
    """

    def __init__(self, run: Callable[[Call[EmbedResult]], Out]) -> None:
        self._run = run

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
                read=EmbedResult.model_validate_json,
                timeout=timeout,
            )
        )
