"""A session as a file: JSON with a version, for its owner's eyes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import to_json

from llmaas_client.errors import ConfigurationError
from llmaas_client.structured.wanted import problems_of
from llmaas_client.tasks.options import LoopOptions

from .history import Turn
from .overflow import Policy

VERSION: Literal[1] = 1


class SavedSession(BaseModel):
    """All of a session but its tools, which are code."""

    model_config = ConfigDict(extra="forbid")

    llmaas_session: Literal[1] = VERSION
    system: str | None
    overflow: Policy
    options: dict[str, Any]
    turns: tuple[Turn, ...]


def write(path: str | os.PathLike[str], session: SavedSession) -> None:
    """Put the whole file there, or change nothing. Raises OSError."""
    target = Path(path)
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(to_json(session, indent=2))
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def read(path: str | os.PathLike[str]) -> SavedSession:
    """Raises OSError, or ConfigurationError for a file that is no session, or not whole."""
    data = Path(path).read_bytes()
    try:
        content: Any = json.loads(data)
    except ValueError as error:
        raise ConfigurationError(
            f"{os.fspath(path)} is no session, or damaged: it is no JSON ({error})"
        ) from None
    found = cast("dict[str, Any]", content) if isinstance(content, dict) else {}
    version = found.get("llmaas_session")
    if version is None:
        raise ConfigurationError(
            f"{os.fspath(path)} is no session: it does not say llmaas_session",
            hint="Name a file that session.save() wrote.",
        )
    if version != VERSION:
        raise ConfigurationError(
            f"{os.fspath(path)} is a session of version {version!r}, and this client reads "
            f"version {VERSION}",
            hint="Update llmaas.",
        )
    try:
        session = SavedSession.model_validate_json(data)
    except ValidationError as error:
        raise ConfigurationError(
            f"{os.fspath(path)} is damaged: {'; '.join(problems_of(error)[:3])}"
        ) from None
    unknown = session.options.keys() - LoopOptions.__annotations__.keys()
    if unknown:
        raise ConfigurationError(
            f"{os.fspath(path)} is damaged: there is no option {sorted(unknown)[0]!r}"
        )
    return session


def savable(options: Mapping[str, Any]) -> dict[str, Any]:
    """The options that a file can hold: no functions, no types, no timeouts."""
    left_out = {"tools", "approve", "timeout"}
    kept = {name: value for name, value in options.items() if name not in left_out}
    plain: dict[str, Any] = json.loads(to_json(kept))
    return plain
