"""The file in LLMAAS_HOME that says where the server of this home answers, while it runs.

The server keeps it locked (flock) as long as it lives, however it ends: who can lock it knows that
there is none.
"""

from __future__ import annotations

from .base import WireModel

FILE_NAME = "server.json"


class RunningServer(WireModel):
    url: str
