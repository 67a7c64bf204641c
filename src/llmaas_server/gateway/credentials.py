"""The file in `home` by which clients on this machine find their keys; see `wire.credentials`."""

from __future__ import annotations

import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import ValidationError

from llmaas_client.wire.credentials import FILE_NAME, Credentials


class CredentialsError(Exception):
    """The file is damaged. Nothing is overwritten: its owner decides."""


def prepare_home(home: Path) -> None:
    """Make the folder for state, closed to everybody else."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o700)


class CredentialsFile:
    """Readable by the owner alone, replaced as a whole."""

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = home / FILE_NAME

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Those who start at once take turns; makes the folder where it is not there."""
        prepare_home(self._home)
        with os.fdopen(os.open(self._home / ".lock", os.O_RDWR | os.O_CREAT, 0o600)) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def read(self) -> Credentials:
        """Raises CredentialsError."""
        if not self._path.exists():
            return Credentials()
        try:
            return Credentials.model_validate_json(self._path.read_bytes())
        except ValidationError as error:
            raise CredentialsError(
                f"{self._path} is damaged: move it away for a new one"
            ) from error

    def write(self, credentials: Credentials) -> None:
        """All or nothing."""
        content = credentials.model_dump_json(indent=2, exclude_none=True).encode()
        fresh = self._path.with_name(f"{FILE_NAME}.{secrets.token_hex(4)}")
        try:
            file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
            with os.fdopen(file, "wb") as out:
                out.write(content)
                out.flush()
                os.fsync(out.fileno())
            fresh.replace(self._path)
        finally:
            fresh.unlink(missing_ok=True)
