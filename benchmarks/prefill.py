"""A prompt of 512 tokens alone: prompt tokens a second until the first token is there."""

from __future__ import annotations

import json
import random
import subprocess
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from .engines import Engine, engine, ours
from .figures import Figure, in_turns, note, publish
from .options import CHAT_MODEL, Options, parse
from .peers import our_names

TOKENS = 512
VOCABULARY = range(1000, 40000)
"""Ids that are words in the chat model's vocabulary."""
NAME = "prefill"


def measure(options: Options) -> list[Figure]:
    tokens = 64 if options.quick else TOKENS
    with ExitStack() as stack:
        contestants: dict[str, Callable[[], float]] = {}

        def add(name: str, started: Engine) -> None:
            contestants[name] = lambda: _ask(started, tokens)
            contestants[name]()  # the first prompt warms up

        for name, quantization in zip(our_names(options), options.quantizations, strict=True):
            add(name, stack.enter_context(ours(options, quantization, CHAT_MODEL)))
        for label, path in options.openvino.items():
            if options.peers_python is not None:
                note(f"starting OpenVINO GenAI {label}")
                settings = {"path": str(path), "threads": options.threads}
                child = engine("openvino_prefill", settings, options.peers_python)
                add(f"OpenVINO GenAI {label}", stack.enter_context(child))
        program = options.llama("llama-bench")
        if program is not None:
            for label, gguf in options.gguf.items():
                contestants[f"llama.cpp {label}"] = _llama_bench(options, program, gguf, tokens)
        return in_turns(
            contestants,
            lambda ask: {f"{tokens} prompt tokens: tokens/s": ask()},
            options.rounds,
            our_names(options)[0],
        )


def _ask(started: Engine, tokens: int) -> float:
    # A prompt that was never seen: caches of prefixes find nothing.
    ids = random.choices(VOCABULARY, k=tokens)
    return tokens / float(started.ask(do="prefill", ids=ids)["seconds"])


def _llama_bench(options: Options, program: Path, gguf: Path, tokens: int) -> Callable[[], float]:
    command = [program, "-m", gguf, "-p", tokens, "-n", 0, "-r", 1, "-o", "json"]

    def run() -> float:
        done = subprocess.run(
            [str(part) for part in [*command, "-t", options.threads]],
            capture_output=True,
            check=True,
        )
        (found,) = json.loads(done.stdout)
        return float(found["avg_ts"])

    return run


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
