"""OpenVINO GenAI: how long a prompt takes."""

from __future__ import annotations

import time
from importlib import import_module
from typing import Any

from benchmarks.children import Answer, serve


def make(settings: dict[str, Any]) -> Answer:
    numpy: Any = import_module("numpy")
    openvino: Any = import_module("openvino")
    genai: Any = import_module("openvino_genai")
    pipeline = genai.LLMPipeline(settings["path"], "CPU", INFERENCE_NUM_THREADS=settings["threads"])
    config = genai.GenerationConfig()
    config.max_new_tokens, config.ignore_eos, config.do_sample = 1, True, False

    def answer(question: dict[str, Any]) -> dict[str, Any]:
        ids = numpy.array([question["ids"]], dtype=numpy.int64)
        inputs = genai.TokenizedInputs(openvino.Tensor(ids), openvino.Tensor(numpy.ones_like(ids)))
        started = time.perf_counter()
        pipeline.generate(inputs, config)
        return {"seconds": time.perf_counter() - started}

    return answer


if __name__ == "__main__":
    serve(make)
