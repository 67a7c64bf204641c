"""One process owns a database file."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from .failures import StorageInUse


class FileLock:
    """An exclusive lock on a file; it ends with the process that holds it, however that ends."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None

    def acquire(self) -> None:
        """Take the lock now. Raises StorageInUse where another process has it."""
        file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(file, 20).decode(errors="replace").strip() or "unknown"
            os.close(file)
            raise StorageInUse(
                f"{self._path.with_suffix('')} is in use by process {owner}: "
                "work through that server, or stop it first"
            ) from None
        os.ftruncate(file, 0)
        os.write(file, f"{os.getpid()}\n".encode())
        self._file = file

    def owner(self) -> str | None:
        """The process that has the lock; None where none has. Takes nothing."""
        try:
            file = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return os.read(file, 20).decode(errors="replace").strip() or "unknown"
        else:
            return None
        finally:
            os.close(file)

    def release(self) -> None:
        """Give the lock back; no error where it is not held. The file stays: others may wait."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
