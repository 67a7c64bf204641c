"""Programs that compute on request, so that several engines can take turns in one run.

Each runs under the Python that has its engine: `python -m benchmarks.children.<name> JSON`. A line
of JSON comes in, a line goes out. Only the standard library is shared.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any]]


def settings() -> dict[str, Any]:
    """What the parent wants; the one argument of the program."""
    found: dict[str, Any] = json.loads(sys.argv[1])
    return found


def serve(make: Callable[[dict[str, Any]], Answer]) -> None:
    """Answer questions until there are no more. What libraries print goes to standard error."""
    out = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    answer = make(settings())
    out.write(json.dumps({"ready": True}) + "\n")
    out.flush()
    for line in sys.stdin:
        out.write(json.dumps(answer(json.loads(line))) + "\n")
        out.flush()
