"""The file in LLMAAS_HOME that lets a client on the server's machine find its keys.

`llmaas serve` writes it (mode 0600); the client reads it. A key is bound to the address it is for
and is never sent to another.
"""

from __future__ import annotations

from .base import WireModel

FILE_NAME = "credentials.json"


class ServerCredentials(WireModel):
    inference_key: str
    management_key: str | None = None


class Credentials(WireModel):
    servers: dict[str, ServerCredentials] = {}
    """Base URL, such as `http://127.0.0.1:8000`, without a slash at the end -> keys."""
