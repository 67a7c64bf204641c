"""Which server of this machine's home runs now."""

from __future__ import annotations

from pathlib import Path

from pydantic import ValidationError

from .wire.running import FILE_NAME, RunningServer


def address_in(home: Path) -> str | None:
    """The address of the server that has its state in `home`; None where none runs."""
    try:
        import fcntl  # servers run where there is one
    except ImportError:
        return None
    try:
        with (home / FILE_NAME).open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return RunningServer.model_validate_json(file.read()).url
    except (OSError, ValidationError):  # not there, another user's, or not yet written
        return None
    return None
