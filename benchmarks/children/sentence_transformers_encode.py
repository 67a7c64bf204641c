"""sentence-transformers, as its users call it: texts in, vectors out."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

from benchmarks.children import Answer, serve


def make(settings: dict[str, Any]) -> Answer:
    torch: Any = import_module("torch")
    package: Any = import_module("sentence_transformers")
    torch.set_num_threads(settings["threads"])
    model = package.SentenceTransformer(settings["folder"], device="cpu")

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        vectors = model.encode(question["texts"], batch_size=32, normalize_embeddings=True)
        return {"seconds": time.perf_counter() - started, "vectors": vectors.tolist()}

    return answer


if __name__ == "__main__":
    serve(make)
