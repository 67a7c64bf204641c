"""onnxruntime: vectors of an encoder, exported from transformers, whole or quantized to int8.

Batches of 32, sorted by length; mean pooling over the tokens, unit length.
"""

from __future__ import annotations

import tempfile
import time
from importlib import import_module
from pathlib import Path
from typing import Any

from benchmarks.children import Answer, serve

BATCH = 32
INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def make(settings: dict[str, Any]) -> Answer:
    numpy: Any = import_module("numpy")
    session = _session(settings)

    def vectors(ids: list[list[int]]) -> Any:
        order = sorted(range(len(ids)), key=lambda index: len(ids[index]))
        found: Any = None
        for first in range(0, len(order), BATCH):
            rows = order[first : first + BATCH]
            longest = max(len(ids[row]) for row in rows)
            tokens = numpy.zeros((len(rows), longest), dtype=numpy.int64)
            mask = numpy.zeros_like(tokens)
            for at, row in enumerate(rows):
                tokens[at, : len(ids[row])] = ids[row]
                mask[at, : len(ids[row])] = 1
            feeds = dict(zip(INPUTS, (tokens, mask, numpy.zeros_like(tokens)), strict=True))
            (hidden,) = session.run(None, feeds)
            pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
            pooled /= numpy.linalg.norm(pooled, axis=1, keepdims=True)
            if found is None:
                found = numpy.zeros((len(ids), pooled.shape[1]), dtype=numpy.float32)
            found[rows] = pooled
        return found

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        started = time.perf_counter()
        found = vectors(question["ids"])
        return {"seconds": time.perf_counter() - started, "vectors": found.tolist()}

    return answer


def _session(settings: dict[str, Any]) -> Any:
    runtime: Any = import_module("onnxruntime")
    chosen = runtime.SessionOptions()
    chosen.intra_op_num_threads = settings["threads"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        _export(settings["folder"], settings["threads"], path)
        if settings["precision"] == "int8":
            quantization: Any = import_module("onnxruntime.quantization")
            whole, path = path, path.with_name("int8.onnx")
            quantization.quantize_dynamic(whole, path)
        return runtime.InferenceSession(str(path), chosen, providers=["CPUExecutionProvider"])


def _export(folder: str, threads: int, path: Path) -> None:
    torch: Any = import_module("torch")
    transformers: Any = import_module("transformers")
    torch.set_num_threads(threads)
    model = transformers.AutoModel.from_pretrained(folder, attn_implementation="eager").eval()

    class Hidden(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, ids: Any, mask: Any, types: Any) -> Any:
            return self.model(input_ids=ids, attention_mask=mask, token_type_ids=types)[0]

    example = torch.ones((2, 8), dtype=torch.int64)
    torch.onnx.export(
        Hidden(),
        (example, example, torch.zeros_like(example)),
        str(path),
        input_names=list(INPUTS),
        output_names=["hidden"],
        dynamic_axes={name: {0: "rows", 1: "tokens"} for name in (*INPUTS, "hidden")},
        dynamo=False,
    )


if __name__ == "__main__":
    serve(make)
