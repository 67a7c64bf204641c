"""`python -m llmaas_client.lifeline serve …`: a command that lives as long as who started it.

Standard input is a pipe that nobody writes to. It ends when the process at its other end does,
however that comes about, and then this one ends, too.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

GRACE_SECONDS = 15.0
"""For a command to end well, before it is ended in any case."""


def watch() -> None:
    """Wait for the end of standard input, and end this process with it."""
    while os.read(sys.stdin.fileno(), 4096):
        pass
    last = threading.Timer(GRACE_SECONDS, os._exit, (1,))
    last.daemon = True
    last.start()
    os.kill(os.getpid(), signal.SIGTERM)


def main() -> int:
    from .cli import main as run

    threading.Thread(target=watch, daemon=True).start()
    return run()


if __name__ == "__main__":
    sys.exit(main())
