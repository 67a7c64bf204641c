"""The folder of models on disk: who may write a model, and how it appears all at once.

models/NAME/                  a complete model (`/` in a name is `--` here)
models/.incoming/NAME/XXXX/   one pull on its way: work/ and the model/ that it makes
models/.locks/NAME            held by the process that writes NAME; gone with the process
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from . import files
from .names import folder_name

RESUMED = "resumed"
"""The name, below .incoming/NAME, of a download that the next pull goes on with."""

_KEPT_SECONDS = 7 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Stage:
    """Where one pull works; on the same file system as the shelf, so that a rename is enough."""

    root: Path

    @property
    def work(self) -> Path:
        """For downloads on their way."""
        return self.root / "work"

    @property
    def model(self) -> Path:
        """The model's folder, as it will be published."""
        return self.root / "model"


@dataclass(frozen=True, slots=True)
class Shelf:
    root: Path

    def folder(self, name: str) -> Path:
        return self.root / folder_name(name)

    def folders(self) -> list[Path]:
        """The folders of complete models."""
        if not self.root.is_dir():
            return []
        return sorted(
            path for path in self.root.iterdir() if path.is_dir() and not path.name.startswith(".")
        )

    @contextmanager
    def lock(self, name: str, waiting: Callable[[], None]) -> Iterator[None]:
        """Be the one that writes `name`; calls `waiting` where another process is."""
        lock = self._lock(folder_name(name))
        try:
            lock.acquire(timeout=0)
        except Timeout:
            waiting()
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    @contextmanager
    def stage(self, name: str, *, resume: bool) -> Iterator[Stage]:
        """A place to make `name` in, under its lock.

        With `resume` it is the one that an unfinished pull has left, and stays where the block
        fails with something in it. What pulls that were killed have left is removed first.
        """
        parent = self._incoming / folder_name(name)
        self._sweep(parent, keep=RESUMED if resume else None)
        parent.mkdir(parents=True, exist_ok=True)
        root = parent / RESUMED if resume else Path(tempfile.mkdtemp(dir=parent))
        stage = Stage(root)
        done = False
        try:
            # Inside a resumed stage only the download itself survives.
            shutil.rmtree(stage.model, ignore_errors=True)
            stage.work.mkdir(parents=True, exist_ok=True)
            stage.model.mkdir()
            yield stage
            done = True
        finally:
            if done or not resume or not any(stage.work.iterdir()):
                shutil.rmtree(parent, ignore_errors=True)

    def publish(self, stage: Stage, name: str) -> Path:
        """Put the model of a stage in its place, all at once; an older one goes."""
        target = self.folder(name)
        for path in (*stage.model.rglob("*"), stage.model):
            files.sync(path)
        if target.exists():
            target.rename(stage.root / "old")
        stage.model.rename(target)
        files.sync(self.root)
        return target

    def discard(self, name: str) -> None:
        """Take a model away, under its lock: gone at once for all who look, then deleted."""
        with self.stage(name, resume=False) as stage:
            self.folder(name).rename(stage.root / "old")
            files.sync(self.root)

    def sweep(self, now: float) -> None:
        """Remove what pulls of other names have left that were killed and not repeated."""
        if not self._incoming.is_dir():
            return
        for parent in self._incoming.iterdir():
            lock = self._lock(parent.name)
            with suppress(Timeout, FileNotFoundError), lock.acquire(timeout=0):
                fresh = now - parent.stat().st_mtime < _KEPT_SECONDS
                self._sweep(parent, keep=RESUMED if fresh else None)

    @property
    def _incoming(self) -> Path:
        return self.root / ".incoming"

    def _lock(self, folder: str) -> FileLock:
        locks = self.root / ".locks"
        locks.mkdir(parents=True, exist_ok=True)
        return FileLock(locks / folder)

    def _sweep(self, parent: Path, keep: str | None) -> None:
        left = list(parent.iterdir()) if parent.is_dir() else []
        for path in left:
            if path.name != keep:
                shutil.rmtree(path, ignore_errors=True)
        if all(path.name != keep for path in left):
            with suppress(OSError):
                parent.rmdir()
