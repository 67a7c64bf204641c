"""Models come to the machine, into memory, out of it and off the disk, over HTTP."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.models import ModelInfo, ModelList
from llmaas_client.wire.pulls import Pull, PullList
from llmaas_client.wire.server import ServerFigures
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.progress import Progress, Step, silent
from llmaas_server.models.store import Store
from llmaas_server.seam.values import BackendStatus, ModelStatus
from llmaas_server.settings import Settings
from support.front import Front, eventually, front
from support.model_files import model_folder


class Held(Store):
    """A store whose pulls wait for the test."""

    go = threading.Event()

    def pull(
        self, what: str, *, name: str | None = None, progress: Progress = silent
    ) -> InstalledModel:
        progress(Step("download", 3, 10))
        assert self.go.wait(10)
        return super().pull(what, name=name, progress=progress)


class Busy(FakeBackend):
    """Whatever is in memory serves a request."""

    def status(self) -> BackendStatus:
        models = [ModelStatus("busy", "resident", 1.0, 10, in_use=True)]
        return BackendStatus(ready=True, models=models, running=1)


@pytest.fixture
def held(tmp_path: Path) -> Iterator[Held]:
    Held.go = threading.Event()
    yield Held(tmp_path / "cache")
    Held.go.set()


@pytest.fixture
def server(tmp_path: Path, held: Held) -> Iterator[Front]:
    with front(Settings(home=tmp_path / "home"), FakeBackend(), held) as running:
        yield running


def pull(server: Front, model: object, **more: str) -> Pull:
    response = server.manage.post("/v1/pulls", json={"model": str(model), **more})
    return Pull.model_validate_json(response.raise_for_status().content)


def pulls(server: Front) -> list[Pull]:
    return PullList.model_validate_json(server.manage.get("/v1/pulls").content).pulls


def ended(server: Front, id: str) -> Pull:
    def one() -> Pull:
        return next(pull for pull in pulls(server) if pull.id == id)

    eventually(lambda: one().state in ("done", "failed"), "the pull has ended")
    return one()


def models(server: Front) -> dict[str, ModelInfo]:
    listed = ModelList.model_validate_json(server.manage.get("/v1/models").content).data
    return {model.id: model for model in listed}


def told(server: Front, action: str) -> list[tuple[str, str]]:
    entries = server.manage.get("/v1/audit").json()["entries"]
    return [(one["target"], one["outcome"]) for one in entries if one["action"] == action]


def code(response: object) -> str:
    return ErrorBody.model_validate_json(response.content).error.code  # type: ignore[attr-defined]


def test_a_model_comes_is_loaded_unloaded_and_removed(server: Front, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "small")
    begun = pull(server, folder)
    assert begun.state in ("waiting", "running")
    eventually(lambda: pulls(server)[0].stage == "download", "it runs")
    assert (pulls(server)[0].done_bytes, pulls(server)[0].total_bytes) == (3, 10)
    assert pull(server, folder).id == begun.id, "asked for once more, it is the same"
    Held.go.set()
    assert ended(server, begun.id).name == "small"
    assert models(server)["small"].state == "cached"

    loaded = server.manage.post("/v1/residents", json={"model": "small"})
    assert ModelInfo.model_validate_json(loaded.content).state == "resident"
    server.manage.delete("/v1/residents/small").raise_for_status()
    assert models(server)["small"].state == "cached"
    again = server.manage.delete("/v1/residents/small")
    assert code(again) == "model_not_found"

    server.manage.post("/v1/residents", json={"model": "small"}).raise_for_status()
    assert server.manage.delete("/v1/models/small").json() == {"id": "small"}
    assert models(server) == {}
    assert code(server.manage.delete("/v1/models/small")) == "model_not_found"
    assert told(server, "models.pull") == [(str(folder), "done")]
    assert told(server, "models.load") == [("small", "done"), ("small", "done")]
    assert told(server, "models.unload") == [("small", "done")]
    assert told(server, "models.remove")[0] == ("small", "done")


def test_one_comes_after_the_other(server: Front, tmp_path: Path) -> None:
    first = pull(server, model_folder(tmp_path / "a"))
    second = pull(server, model_folder(tmp_path / "b", seed=1), name="org/b")
    eventually(lambda: pulls(server)[1].state == "running", "the first runs")
    assert [one.id for one in pulls(server)] == [second.id, first.id]
    assert pulls(server)[0].state == "waiting"
    assert code(server.manage.delete("/v1/models/org/b")) == "conflict"
    Held.go.set()
    assert ended(server, second.id).name == "org/b"
    assert server.manage.delete("/v1/models/org/b").is_success


@pytest.mark.parametrize(
    ("model", "error"),
    [
        ("/nowhere/at/all", "model_not_found"),
        ("no-such-model", "model_not_found"),
        ("two words", "model_not_found"),
    ],
)
def test_what_cannot_come_says_why(server: Front, model: str, error: str) -> None:
    Held.go.set()
    failed = ended(server, pull(server, model).id)
    assert failed.state == "failed"
    assert failed.error is not None
    assert failed.error.code == error
    assert failed.error.hint
    assert told(server, "models.pull") == [(model, "done"), (model, "refused")]


def test_an_error_that_nobody_foresaw_is_told(
    server: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*what: object, **more: object) -> InstalledModel:
        raise OSError("no space left on device")

    monkeypatch.setattr(Held, "pull", broken)
    failed = ended(server, pull(server, "x").id)
    assert failed.error is not None
    assert "no space left" in failed.error.message


def test_too_many_are_refused(server: Front) -> None:
    for number in range(16):
        pull(server, f"org/model-{number}")
    refused = server.manage.post("/v1/pulls", json={"model": "org/one-more"})
    assert code(refused) == "overloaded"
    assert float(refused.headers["retry-after"]) > 0


def test_a_server_ends_while_a_model_comes(tmp_path: Path, held: Held) -> None:
    with front(Settings(home=tmp_path / "home"), FakeBackend(), held) as running:
        pull(running, "org/model")
        eventually(lambda: pulls(running)[0].state == "running", "it runs")
    assert not Held.go.is_set(), "the server did not wait for it"


def test_what_serves_requests_stays(tmp_path: Path) -> None:
    store = Store(tmp_path / "cache")
    store.pull(str(model_folder(tmp_path / "busy")))
    with front(Settings(home=tmp_path / "home"), Busy(), store) as running:
        refused = running.manage.delete("/v1/models/busy")
        assert code(refused) == "conflict"
        assert "serves requests" in refused.text
    assert [model.name for model in store.installed()] == ["busy"]


def test_what_is_not_here_is_not_loaded(server: Front) -> None:
    for name, error in (("no-such", "model_not_found"), ("all-minilm-l6-v2", "model_not_pulled")):
        assert code(server.manage.post("/v1/residents", json={"model": name})) == error


def test_models_that_are_not_files_neither_come_nor_go(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path, backend="fake")) as running:
        failed = ended(running, pull(running, "all-minilm-l6-v2").id)
        assert failed.error is not None
        assert failed.error.code == "conflict"
        assert code(running.manage.delete("/v1/models/all-minilm-l6-v2")) == "conflict"


def test_the_server_tells_how_it_is(tmp_path: Path) -> None:
    def figures() -> ServerFigures:
        return ServerFigures.model_validate_json(running.manage.get("/v1/server").content)

    with front(Settings(home=tmp_path, backend="fake")) as running:
        first = figures()
        assert (first.status, first.queue, first.tasks) == ("ok", 0, [])
        assert first.memory_limit is None
        running.http.post("/v1/tasks/embed", json={"text": "two words"}).raise_for_status()
        unknown = {"text": "a", "model": "no-such"}
        assert running.http.post("/v1/tasks/embed", json=unknown).is_error
        eventually(lambda: bool(figures().tasks), "the call is counted")
        (embed,) = figures().tasks
        assert (embed.task, embed.calls, embed.failed, embed.prompt_tokens) == ("embed", 1, 0, 2)
        assert embed.queue_ms is not None
        assert figures().uptime_seconds > first.uptime_seconds
