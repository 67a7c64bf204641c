"""The kernels of one worker: there at once where they were built before, else in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from .build import CannotBuild, build, find
from .library import Library

log = logging.getLogger(__name__)

MadeT = TypeVar("MadeT")


class Supply:
    """Finds or builds the library, once; all that runs on it shares its team of threads."""

    def __init__(self, folder: Path, threads: int) -> None:
        self._folder = folder
        self._threads = threads
        self._library: Library | None = None
        # One thread: a build first, then what waits for it, in order.
        self._builder = ThreadPoolExecutor(max_workers=1, thread_name_prefix="llmaas-build")

    def now(self) -> Library | None:
        """The library, where that takes no time."""
        if self._library is None and (path := find(self._folder)) is not None:
            self._library = self._open(path)
        return self._library

    def later(self, make: Callable[[Library], MadeT]) -> Future[MadeT]:
        """What `make` makes of the library, once it is built; CannotBuild where it cannot be."""
        return self._builder.submit(lambda: make(self._build()))

    def _build(self) -> Library:
        if self._library is None:
            try:
                self._library = self._open(build(self._folder))
            except CannotBuild as error:
                log.warning("everything runs on torch alone: %s", error)
                raise
        return self._library

    def _open(self, path: Path) -> Library:
        library = Library(path, self._threads)
        log.info("the kernels are there: %s", library.instructions)
        return library
