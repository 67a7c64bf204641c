"""Styles, modules and pictures: read once, and known by their content.

Their address has the digest of all of them in it, so browsers keep them for good and never mix
two versions; modules find each other by relative paths.
"""

from __future__ import annotations

import hashlib
import mimetypes
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from llmaas_server.errors import Problem

YEAR = 365 * 24 * 3600

_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}


class Assets:
    """All files of `static/`."""

    def __init__(self, prefix: str) -> None:
        """`prefix` is the address they are served below."""
        self._files = dict(_read(files(__package__) / "static", ""))
        digest = hashlib.sha256()
        for name in sorted(self._files):
            digest.update(name.encode() + b"\0" + self._files[name])
        self.version = digest.hexdigest()[:16]
        self._prefix = prefix

    def url(self, name: str) -> str:
        """The address of a file, such as `llmaas.css`. Raises KeyError where there is none."""
        if name not in self._files:
            raise KeyError(f"there is no static file {name!r}")
        return f"{self._prefix}/{self.version}/{name}"

    def get(self, version: str, name: str) -> bytes | None:
        return self._files.get(name) if version == self.version else None


class Static:
    """Serves them: an ASGI endpoint with `version` and `name` in its path."""

    def __init__(self, assets: Assets) -> None:
        self._assets = assets

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["name"]
        content = self._assets.get(scope["path_params"]["version"], name)
        if content is None:
            raise Problem("not_found", f"there is no file {name!r}", hint="Load the page again.")
        headers = {
            "cache-control": f"public, max-age={YEAR}, immutable",
            "cross-origin-resource-policy": "same-origin",
            "x-content-type-options": "nosniff",
        }
        await Response(content, headers=headers, media_type=_type_of(name))(scope, receive, send)


def _read(folder: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for item in folder.iterdir():
        name = f"{prefix}{item.name}"
        if item.is_dir():
            found += _read(item, f"{name}/")
        else:
            found.append((name, item.read_bytes()))
    return found


def _type_of(name: str) -> str:
    suffix = name[name.rfind(".") :]
    return _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
