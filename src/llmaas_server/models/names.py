"""What a model may be called.

A name is a catalogue name (`all-minilm-l6-v2`), a hub id (`org/model`), or a hub id with a revision
(`org/model@main`), which is a name of its own: other bytes, other name.
"""

from __future__ import annotations

import re

from llmaas_server.errors import Problem

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]*"
_NAME = re.compile(rf"{_PART}(/{_PART})?(@{_PART})?")
_LONGEST = 200  # a folder name has 255 bytes at most, and temporary ones are longer


def is_name(text: str) -> bool:
    """Whether `text` can name a model; then it is also safe as part of a path."""
    return (
        len(text) <= _LONGEST
        and _NAME.fullmatch(text) is not None
        and ".." not in text
        and "--" not in text
    )


def check_name(text: str) -> str:
    """Raises Problem `invalid_request` for what cannot name a model."""
    if not is_name(text):
        raise Problem(
            "invalid_request",
            f"{text!r} cannot name a model",
            hint="A name has letters, digits, '.', '_' and '-', with at most one '/'; "
            "choose one with --name.",
            param="model",
        )
    return text


def is_hub_id(name: str) -> bool:
    """Whether a valid name has the form of a hub id."""
    return "/" in name


def split_revision(name: str) -> tuple[str, str | None]:
    """`org/model@main` -> (`org/model`, `main`)."""
    repo, _, revision = name.partition("@")
    return repo, revision or None


def folder_name(name: str) -> str:
    """The folder of a valid name; reversible, since `--` is in no name."""
    return name.replace("/", "--")
