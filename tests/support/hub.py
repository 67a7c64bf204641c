"""A small Hugging Face hub on a real socket: the two addresses that a pull asks."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@dataclass
class Hub:
    """Repositories: name -> path -> content. What is in `refused` answers with that error."""

    repositories: dict[str, dict[str, bytes]]
    refused: dict[str, tuple[int, str]] = field(default_factory=dict)
    """Repository -> HTTP status and the hub's own word for it."""
    cut: set[str] = field(default_factory=set)
    """Paths that break off in the middle."""
    fetched: list[str] = field(default_factory=list)
    """Paths that were asked for with GET."""
    revisions: list[str] = field(default_factory=list)
    endpoint: str = ""


@contextmanager
def serving(hub: Hub) -> Iterator[Hub]:
    class Handler(_Handler):
        state = hub

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    hub.endpoint = f"http://127.0.0.1:{server.server_port}"
    try:
        yield hub
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Handler(BaseHTTPRequestHandler):
    state: Hub

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def log_message(self, format: str, *args: Any) -> None:
        """Tests read what they need from the hub itself."""

    def _answer(self, *, body: bool) -> None:
        path, _, _ = self.path.partition("?")
        api = path.startswith("/api/models/")
        parts = path.removeprefix("/api/models").strip("/").split("/")
        repo, rest = "/".join(parts[:2]), parts[2:]
        if repo in self.state.refused:
            status, word = self.state.refused[repo]
            self._send(status, b"{}", {"X-Error-Code": word}, body=body)
        elif repo not in self.state.repositories:
            self._send(404, b"{}", {"X-Error-Code": "RepoNotFound"}, body=body)
        elif api and rest[:1] == ["tree"]:
            self._send(200, json.dumps(self._tree(repo)).encode(), {}, body=body)
        elif api:
            self.state.revisions.append(rest[1] if rest else "main")
            self._send(200, json.dumps(self._info(repo)).encode(), {}, body=body)
        else:
            self._file(repo, "/".join(rest[2:]), body=body)

    def _info(self, repo: str) -> dict[str, Any]:
        files = self.state.repositories[repo]
        return {
            "id": repo,
            "modelId": repo,
            "sha": COMMIT,
            "cardData": {"license": "mit"},
            "siblings": [{"rfilename": name, "size": len(files[name])} for name in files],
        }

    def _tree(self, repo: str) -> list[dict[str, Any]]:
        files = self.state.repositories[repo]
        return [
            {"type": "file", "path": name, "size": len(files[name]), "oid": _etag(files[name])}
            for name in files
        ]

    def _file(self, repo: str, name: str, *, body: bool) -> None:
        content = self.state.repositories[repo].get(name)
        if content is None:
            self._send(404, b"", {"X-Error-Code": "EntryNotFound"}, body=body)
            return
        headers = {"ETag": f'"{_etag(content)}"', "X-Repo-Commit": COMMIT}
        if body:
            self.state.fetched.append(name)
        if body and name in self.state.cut:
            self._send(200, content, headers, body=True, most=len(content) // 2)
            return
        self._send(200, content, headers, body=body)

    def _send(
        self,
        status: int,
        content: bytes,
        headers: dict[str, str],
        *,
        body: bool,
        most: int | None = None,
    ) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if body:
            self.wfile.write(content[:most])
        self.close_connection = most is not None


def _etag(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()
