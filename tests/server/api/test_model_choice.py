"""A request that names no model: the result says which one served it, and why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.wire import TASKS
from llmaas_client.wire.chat import ChatResult
from llmaas_client.wire.models import TaskList
from llmaas_client.wire.sse import Decoder
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import model_not_found
from llmaas_server.models.manifest import FileRecord, InstalledModel
from llmaas_server.models.origin import Hub
from llmaas_server.seam.values import Call, Measurement, ModelRef
from llmaas_server.settings import Settings
from support.front import Front, front


class Shelf:
    """A small default for chat, and a model with a longer context."""

    def __init__(self) -> None:
        self._models = {"small": chat_model("small", 64), "long": chat_model("long", 4096)}

    def installed(self) -> list[InstalledModel]:
        return list(self._models.values())

    def ref(self, name: str) -> ModelRef:
        if name not in self._models:
            raise model_not_found(name, self._models)
        return self._models[name].ref


class Asked(FakeBackend):
    """Notes the models that calls are for: results of the fake backend name none but its own."""

    def __init__(self) -> None:
        super().__init__()
        self.models: list[str] = []

    async def measure(self, call: Call) -> Measurement:
        self.models.append(call.model.name)
        return await super().measure(call)


def chat_model(name: str, context: int) -> InstalledModel:
    return InstalledModel(
        name=name,
        kind="decoder",
        sentence_embeddings=False,
        tasks=("chat",),
        context=context,
        licence=None,
        created=1,
        source=Hub("org/model"),
        files={"model.safetensors": FileRecord("00", 10)},
        path=Path("models") / name,
    )


@pytest.fixture
def backend() -> Asked:
    return Asked()


@pytest.fixture
def server(tmp_path: Path, backend: Asked) -> Iterator[Front]:
    with front(Settings(home=tmp_path, chat_model="small"), backend, Shelf()) as running:
        yield running


def chat(server: Front, text: str, **fields: Any) -> ChatResult:
    body = {"messages": [{"role": "user", "content": text}], **fields}
    answer = server.http.post(TASKS["chat"].path, json=body)
    assert answer.status_code == 200, answer.text
    return ChatResult.model_validate_json(answer.content)


@pytest.mark.parametrize(
    ("text", "fields", "model", "by"),
    [
        ("hello", {}, "small", "default"),
        ("hello " * 100, {}, "long", "length"),
        ("hello", {"model": "long"}, "long", "request"),
        ("hello " * 100, {"model": "small"}, "small", "request"),
    ],
)
def test_choice(
    server: Front, backend: Asked, text: str, fields: dict[str, Any], model: str, by: str
) -> None:
    result = chat(server, text, **fields)
    assert backend.models == [model]
    assert result.model_choice is not None
    assert result.model_choice.by == by


def test_reason(server: Front) -> None:
    choice = chat(server, "hello " * 100).model_choice
    assert choice is not None
    assert choice.reason.startswith("the default, small, holds 64 tokens, and this needs about 2")


def test_streams_end_with_the_choice_too(server: Front) -> None:
    body = {"messages": [{"role": "user", "content": "hello"}], "stream": True}
    answer = server.http.post(TASKS["chat"].path, json=body)
    (done,) = (event for event in Decoder().feed(answer.content) if event.event == "done")
    result = ChatResult.model_validate_json(done.data)
    assert result.model_choice is not None
    assert result.model_choice.by == "default"


def test_tasks_tell_their_rules(server: Front) -> None:
    tasks = TaskList.model_validate_json(server.http.get("/v1/tasks").content).tasks
    rules = {task.name: task.model_rule or "" for task in tasks}
    assert "context" in rules["chat"]
    assert "Always the default" in rules["embed"]
