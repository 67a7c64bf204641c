"""The kernels of one worker: there at once where they were built before, else in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import TypeVar

from .build import CannotBuild, build, find, find_compiler
from .library import Library

log = logging.getLogger(__name__)

MadeT = TypeVar("MadeT")


class Supply:
    """Finds or builds the library, once; all that runs on it shares its team of threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._threads = threads
        self._library: Library | None = None
        self._failed = False
        self._opening = Lock()
        """Whoever looks for the library first opens it, and its one team of threads."""
        # One thread: a build first, then what waits for it, in order.
        self._builder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmaas-build")

    @property
    def coming(self) -> bool:
        """Whether the library will be there, as far as can be told before it is built."""
        return self._library is not None or (find_compiler() is not None and not self._failed)

    def wait(self) -> None:
        """Until the library is there, or it is known that it never will be."""
        with suppress(CannotBuild):
            self.later(lambda library: library.instructions).result()

    def now(self) -> Library | None:
        """The library, where that takes no time."""
        if self._library is None and (path := find(self._folder)) is not None:
            return self._open(path)
        return self._library

    def later(self, make: Callable[[Library], MadeT]) -> Future[MadeT]:
        """What `make` makes of the library, once it is built; CannotBuild where it cannot be."""
        return self._builder.submit(lambda: make(self._build()))

    def _build(self) -> Library:
        if self._library is not None:
            return self._library
        try:
            return self._open(build(self._folder))
        except CannotBuild as error:
            self._failed = True
            log.warning("everything runs on torch alone: %s", error)
            raise

    def _open(self, path: Path) -> Library:
        with self._opening:
            if self._library is None:
                self._library = Library(path, self._threads)
                log.info("the kernels are there: %s", self._library.instructions)
            return self._library
