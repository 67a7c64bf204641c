"""The two folders: of state, and of models."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from .finding import Finding, size, word

if TYPE_CHECKING:
    from llmaas_server.settings import Settings

LEAST_DISK = 2 << 30
LEAST_HOME = 100 << 20


def home(settings: Settings) -> Iterator[Finding]:
    """What lies there must be its owner's alone, who must be able to write."""
    folder = settings.home
    if (amiss := _amiss("home", "LLMAAS_HOME", folder)) is not None:
        yield amiss
        return
    if not folder.exists():
        yield Finding("home", "ok", f"{folder} will be made by `llmaas serve`")
        return
    open_ones = [
        path for path in (folder, *sorted(folder.rglob("*"))) if path.lstat().st_mode & _OTHERS
    ]
    open_ones = [path for path in open_ones if not path.is_symlink()]
    free = shutil.disk_usage(folder).free
    if open_ones:
        named = ", ".join(map(str, open_ones[:5])) + (", …" if len(open_ones) > 5 else "")
        found = f"others may read the keys and texts that it keeps: {named}"
        yield Finding("home", "wrong", found, f"chmod -R go= {word(folder)}")
    elif free < LEAST_HOME:
        found = f"the disk of {folder} is full ({size(free)} free): no call can be written down"
        yield Finding("home", "wrong", found, f"make room: du -sh {word(folder)}/*")
    else:
        yield Finding("home", "ok", str(folder))


def cache(settings: Settings) -> Iterator[Finding]:
    """Where models lie, and what is built."""
    folder = settings.cache
    if (amiss := _amiss("cache", "LLMAAS_CACHE", folder)) is not None:
        yield amiss
        return
    free = shutil.disk_usage(_existing(folder)).free
    found = f"{size(free)} free for {folder}"
    if free < LEAST_DISK:
        remedy = "make room: llmaas models list names what can go; or set LLMAAS_CACHE"
        yield Finding("cache", "weak", f"{found}: too little for most models", remedy)
    else:
        yield Finding("cache", "ok", found)


_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def _amiss(what: str, variable: str, folder: Path) -> Finding | None:
    """Why a folder cannot be used, or made."""
    there = _existing(folder)
    if not there.is_dir():
        found = f"{there} is a file, and should be a folder"
        return Finding(what, "wrong", found, f"mv {word(there)} {word(there)}.old")
    me = os.geteuid()
    if there == folder and (owner := there.stat().st_uid) != me:
        found = f"{there} belongs to user {owner}, and this is user {me}"
        remedy = f"sudo chown -R {me} {word(there)}, or set {variable} to a folder of yours"
        return Finding(what, "wrong", found, remedy)
    if not os.access(there, os.W_OK | os.X_OK):
        remedy = f"chmod u+rwx {word(there)}, or set {variable} to a folder of yours"
        return Finding(what, "wrong", f"{there} cannot be written", remedy)
    return None


def _existing(folder: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(path for path in (folder, *folder.parents) if path.exists())
