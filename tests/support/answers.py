"""What a server answers, as plain data for tests of the client."""

from __future__ import annotations

from typing import Any

from llmaas_client.wire.errors import ErrorCode, describe

HEAD: dict[str, Any] = {
    "id": "req-1",
    "model": "tiny",
    "usage": {"prompt_tokens": 5, "cached_tokens": 0, "completion_tokens": 2},
    "timing": {"queue_ms": 0.5, "prefill_ms": 1.0, "decode_ms": 2.0, "total_ms": 3.5},
    "cost": None,
}
START = {"id": "req-1", "model": "tiny", "prompt_tokens": 5}


def chat(text: str = "Hello you") -> dict[str, Any]:
    return HEAD | {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}


def classify(label: str = "positive") -> dict[str, Any]:
    other = "negative" if label == "positive" else "positive"
    scores = [{"label": label, "score": 0.9}, {"label": other, "score": 0.1}]
    result = {"label": label, "score": 0.9, "labels": [label], "scores": scores}
    return HEAD | {"results": [result | {"abstained": False}], "method": "embedding"}


def explanation() -> dict[str, Any]:
    """Of `I love it`, with a flip."""
    words = [
        {"start": 0, "end": 1, "text": "I", "score": -0.05},
        {"start": 2, "end": 6, "text": "love", "score": 0.5},
        {"start": 7, "end": 9, "text": "it", "score": 0.0},
    ]
    return {
        "label": "positive",
        "method": "occlusion",
        "score": 0.9,
        "words": words,
        "word_count": 3,
        "flip": {
            "text": "I it",
            "removed": [{"start": 2, "end": 6, "text": "love"}],
            "label": "negative",
            "score": 0.6,
            "minimal": True,
        },
        "flip_texts": 3,
        "gradients": None,
    }


def summarize(text: str = "Short.") -> dict[str, Any]:
    sentence = {"text": text, "sources": [{"start": 0, "end": len(text)}], "support": 1.0}
    return HEAD | {
        "summary": text,
        "sentences": [sentence],
        "coverage": 1.0,
        "method": "extractive",
        "words": len(text.split()),
    }


def embed() -> dict[str, Any]:
    return HEAD | {"embeddings": [[0.6, 0.8]]}


def models(**changes: Any) -> dict[str, Any]:
    model = {
        "id": "tiny",
        "created": 0,
        "owned_by": "llmaas",
        "kind": "decoder",
        "tasks": ["chat"],
        "context": 128,
        "bytes": 1_000,
        "state": "resident",
        "default_for": ["chat"],
    }
    return {"object": "list", "data": [model | changes]}


def error(code: ErrorCode, message: str | None = None, **more: Any) -> dict[str, Any]:
    return describe(code, message, **more).model_dump(mode="json")
