"""A server whose answers to classify a test computes from the text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from llmaas_client import Client

from . import answers
from .http_server import Exchange, HTTPServer, serving

Judge = Callable[[str], Mapping[str, float]]
"""The scores of a text."""


def result(scores: Mapping[str, float], threshold: float = 0.0) -> dict[str, Any]:
    """What a server says of one text."""
    ordered = sorted(scores.items(), key=lambda item: -item[1])
    label, best = ordered[0]
    abstained = best < threshold
    return {
        "label": None if abstained else label,
        "score": best,
        "labels": [] if abstained else [label],
        "scores": [{"label": name, "score": score} for name, score in ordered],
        "abstained": abstained,
    }


def handler(judge: Judge) -> Callable[[Exchange], None]:
    """Refuses a batch that has a text with `too long` in it, as a model's context would."""

    def handle(exchange: Exchange) -> None:
        texts = exchange.json["text"]
        if any("too long" in text for text in texts):
            exchange.answer(
                answers.error("context_overflow", "900 tokens, and 512 is the most"),
                "400 Bad Request",
            )
            return
        threshold = exchange.json.get("threshold", 0.0)
        results = [result(judge(text), threshold) for text in texts]
        exchange.answer(answers.HEAD | {"results": results, "method": "embedding"})

    return handle


@contextmanager
def judging(judge: Judge) -> Iterator[tuple[Client, HTTPServer]]:
    with serving(handler(judge)) as server, Client(server.url, api_key="k") as client:
        yield client, server
