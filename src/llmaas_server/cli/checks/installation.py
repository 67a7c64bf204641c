"""Python, and what is installed in it."""

from __future__ import annotations

import importlib.util
import platform
import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires, version

from .finding import Finding

LEAST_PYTHON = (3, 11)
INSTALL = "pip install 'llmaas[server]'"


def python() -> Iterator[Finding]:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < LEAST_PYTHON:
        yield Finding("python", "wrong", found, "install Python 3.11 or newer")
    else:
        yield Finding("python", "ok", found)


def packages() -> Iterator[Finding]:
    """All that the `server` extra needs, by the distribution's own metadata."""
    needed = [line for line in requires("llmaas") or [] if "extra" not in line or "server" in line]
    names = [re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in needed]
    versions = {name: version_of(name) for name in names}
    missing = [name for name, found in versions.items() if found is None]
    if missing:
        yield Finding("packages", "wrong", f"missing: {', '.join(missing)}", INSTALL)
    else:
        yield Finding("packages", "ok", ", ".join(f"{n} {v}" for n, v in versions.items()))


def pip() -> Iterator[Finding]:
    if importlib.util.find_spec("pip") is None:
        found = "not here: models in wheels cannot be pulled"
        yield Finding("pip", "weak", found, f"{sys.executable} -m ensurepip")
    else:
        yield Finding("pip", "ok", version_of("pip") or "here")


def version_of(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
