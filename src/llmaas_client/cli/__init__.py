"""The `llmaas` command.

Exit codes:

    0    done
    1    the request failed, or nobody reads the output any more
    2    wrong usage: an option, an input file, a setting
    3    the server cannot be reached
    4    the key is missing or refused
    130  interrupted with Ctrl-C

An error is one line on standard error that says what to do next. LLMAAS_DEBUG=1 shows tracebacks.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line `args`, or that of the process, and return its exit code."""
    from .group import run

    words = list(sys.argv[1:] if args is None else args)
    return run(words or ["--help"])
