"""Compiles beside the step loop, one model at a time; what fails stays as it was."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Lock, Thread

log = logging.getLogger(__name__)


class Compiling:
    """Threads that nobody waits for, not even the end of the process."""

    def __init__(self) -> None:
        self._one_at_a_time = Lock()

    def begin(self, name: str, compile_it: Callable[[], None]) -> Thread:
        """Compile the model of this name; the thread ends when that is done, or has failed."""
        thread = Thread(
            target=self._run, args=(name, compile_it), name="llmaas-compile", daemon=True
        )
        thread.start()
        return thread

    def _run(self, name: str, compile_it: Callable[[], None]) -> None:
        with self._one_at_a_time:
            began = time.monotonic()
            try:
                compile_it()
            except Exception as error:  # of torch's compiler, of the C++ compiler that it calls
                reason = (str(error).strip().splitlines() or [""])[0]
                log.warning(
                    "%s stays eager: it cannot be compiled: %s: %s",
                    name,
                    type(error).__name__,
                    reason,
                )
            else:
                log.info("%s is compiled, after %.0f s", name, time.monotonic() - began)
