"""How soon `llmaas serve` is ready, beside the imports alone, and what memory it then takes."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable

from llmaas_client import Client

from .figures import Figure, Samples, in_turns, note, publish
from .options import Options, parse
from .peers import our_names, ours
from .processes import pss_bytes

IMPORTS = "import torch, transformers"
NAME = "startup"


def measure(options: Options) -> list[Figure]:
    """In turns: the imports, then the server."""
    (first, *_) = our_names(options)
    contestants: dict[str, Callable[[], Samples]] = {
        IMPORTS: _imports,
        first: lambda: _server(options),
    }
    return in_turns(contestants, lambda start: start(), options.rounds, first)


def _imports() -> Samples:
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", IMPORTS], check=True)
    return {"ready after, s": time.perf_counter() - started}


def _server(options: Options) -> Samples:
    with ours(options, options.quantizations[0]) as served:
        started = time.perf_counter()
        with Client(served.url, served.key) as client:
            client.chat("Hello", max_tokens=8)
            chat_seconds = time.perf_counter() - started
            client.classify("I love it", labels=["negative", "positive"])
        time.sleep(1.0 if options.quick else 5.0)  # idle
        by_process = pss_bytes(served.pid)
        for pid, size in by_process.items():
            note(f"process {pid}: {size / 1e6:.0f} MB")
        return {
            "ready after, s": served.ready_seconds,
            "the first chat then takes, s": chat_seconds,
            "memory of all processes with both models, idle: MB of PSS": (
                sum(by_process.values()) / 1e6
            ),
        }


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
