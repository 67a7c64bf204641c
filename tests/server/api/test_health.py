"""Ready means that the backend says so; live, that the front answers."""

from __future__ import annotations

from pathlib import Path

import httpx

from llmaas_client.wire.errors import ERRORS
from llmaas_client.wire.models import Health
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.seam.values import BackendStatus
from llmaas_server.settings import Settings
from support.front import front


class Stuck(FakeBackend):
    def status(self) -> BackendStatus:
        return BackendStatus(ready=False, models=[], running=1, detail="no progress")


def test_a_server_without_progress_is_not_ready(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, backend="fake"), Stuck()) as running:
        ready = httpx.get(f"{running.url}/health/ready")
        live = httpx.get(f"{running.url}/health/live")
    assert ready.status_code == ERRORS["starting"].status
    assert Health.model_validate_json(ready.content).status == "starting"
    assert b"progress" not in ready.content
    assert live.status_code == httpx.codes.OK
    assert Health.model_validate_json(live.content).version
