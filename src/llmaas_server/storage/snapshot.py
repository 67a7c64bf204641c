"""Copies of a database file, checked before they take its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from types import TracebackType

from . import migrate
from .disk import sync
from .failures import StorageError
from .lock import FileLock

BESIDE = ("", "-wal", "-shm")
"""What belongs to a database file, as what follows its name."""


def check(file: Path) -> None:
    """See that a file is a whole database of llmaas. Raises StorageError."""
    if not file.is_file():
        raise StorageError(f"there is no file {file}")
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as copy:
            complaints = [line for (line,) in copy.execute("PRAGMA integrity_check")]
            broken = copy.execute("PRAGMA foreign_key_check").fetchone()
            (revision,) = copy.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.Error as error:
        raise StorageError(f"{file} is damaged, or no database: {error}") from error
    if complaints != ["ok"]:
        raise StorageError(f"{file} is damaged: {complaints[0]}")
    if broken is not None:
        raise StorageError(f"{file} is damaged: a row of {broken[0]} refers to nothing")
    if revision not in migrate.revisions():
        raise StorageError(
            f"{file} has schema {revision}, which this version of llmaas does not know"
        )


class Replacement:
    """A copy of a backup that lies beside the database, and may take its place.

    Inside the block the database belongs to this process; what was not put in place is removed.
    """

    def __init__(self, database: Path, backup: Path) -> None:
        self._database = database.absolute()
        self._backup = backup
        self._copy = self._database.with_name(f"{self._database.name}.restoring")
        self._lock = FileLock(self._database.with_name(f"{self._database.name}.lock"))

    @property
    def url(self) -> str:
        """Of the copy."""
        return f"sqlite:///{self._copy}"

    def __enter__(self) -> Replacement:
        """Raises StorageError where the backup is damaged, StorageInUse where a server runs."""
        self._database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._lock.acquire()
        try:
            check(self._backup)
            self._remove_copy()
            os.close(os.open(self._copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            shutil.copyfile(self._backup, self._copy)
            check(self._copy)
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave()

    def put_in_place(self) -> Path | None:
        """Make the copy the database; where the one before lies now. The copy must be closed."""
        sync(self._copy)
        kept = None
        if self._database.exists():
            kept = _free_name(self._database)
            for end in BESIDE:
                part = self._database.with_name(self._database.name + end)
                if part.exists():
                    part.rename(kept.with_name(kept.name + end))
        self._copy.rename(self._database)
        sync(self._database.parent)
        return kept

    def _leave(self) -> None:
        self._remove_copy()
        self._lock.release()

    def _remove_copy(self) -> None:
        for end in (*BESIDE, ".lock"):
            self._copy.with_name(self._copy.name + end).unlink(missing_ok=True)


def _free_name(path: Path) -> Path:
    number = 1
    while (name := path.with_name(f"{path.name}.replaced-{number}")).exists():
        number += 1
    return name
