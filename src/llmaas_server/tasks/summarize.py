"""Summarize: by sentences of the source, or by new ones."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Literal

from llmaas_client.wire import summarize as wire
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .base import Caller
from .summarizers import abstractive, extractive
from .summarizers.abstractive import AbstractivePrompt
from .summarizers.extractive import ExtractivePrompt


class Summarize:
    spec = wire.SPEC

    def prompt(
        self, request: wire.SummarizeRequest, model: Model, embedder: Model | None
    ) -> ExtractivePrompt | AbstractivePrompt:
        if resolve(request.method, model) == "extractive":
            if request.strategy != "auto":
                raise Problem(
                    "unsupported_parameter",
                    "strategy is for summaries that a model writes, and this one is extractive",
                    hint="Leave `strategy` out, or choose method=abstractive.",
                    param="strategy",
                )
            return extractive.prompt(request, model)
        return abstractive.prompt(request, model, embedder)

    async def run(
        self,
        prompt: ExtractivePrompt | AbstractivePrompt,
        model: Model,
        runtime: Runtime,
        caller: Caller,
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        if isinstance(prompt, ExtractivePrompt):
            events = extractive.run(prompt, model, runtime, caller)
        else:
            events = abstractive.run(prompt, model, runtime, caller)
        async with aclosing(events):
            async for event in events:
                yield event


def resolve(method: wire.Method, model: Model) -> Literal["extractive", "abstractive"]:
    """The method that the model can do. Raises `model_cannot_do_task` for another."""
    if model.ref.kind in ("decoder", "seq2seq"):
        can: Literal["extractive", "abstractive"] = "abstractive"
        remedy = "Leave `method` out, or choose an embedding model for extractive summaries."
    elif model.ref.sentence_embeddings:
        can = "extractive"
        remedy = "Leave `method` out, or choose a chat or encoder-decoder model to write summaries."
    else:
        raise Problem(
            "model_cannot_do_task",
            f"{model.ref.name!r} ({model.ref.kind}) cannot summarize",
            hint="Choose an embedding, a chat or an encoder-decoder model.",
            param="model",
        )
    if method not in ("auto", can):
        raise Problem(
            "model_cannot_do_task",
            f"{model.ref.name!r} ({model.ref.kind}) cannot make {method} summaries",
            hint=remedy,
            param="method",
        )
    return can


TASK = Summarize()
