"""The list of models joins the disk, the worker and the settings."""

from __future__ import annotations

from pathlib import Path

import msgspec

from llmaas_client.wire.models import ModelList, ModelMemory, SamplingDefaults
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.errors import model_not_found
from llmaas_server.models.manifest import FileRecord, InstalledModel
from llmaas_server.models.origin import Hub
from llmaas_server.seam.values import BackendStatus, ModelRef, ModelStatus
from llmaas_server.settings import Settings
from support.front import client, front


class Shelf:
    """A store with models in memory."""

    def __init__(self, *models: InstalledModel) -> None:
        self._models = {model.name: model for model in models}

    def installed(self) -> list[InstalledModel]:
        return list(self._models.values())

    def ref(self, name: str) -> ModelRef:
        if name not in self._models:
            raise model_not_found(name, self._models)
        return self._models[name].ref


RESIDENT = ModelStatus(
    "c",
    "resident",
    1.0,
    10,
    kv_bytes=5,
    in_use=True,
    pinned=True,
    kernels="native int8",
    quantization="auto",
)


class Holding(FakeBackend):
    def status(self) -> BackendStatus:
        models = [ModelStatus("b", "loading", 0.25, 10), RESIDENT]
        return BackendStatus(ready=True, models=models, running=0)


def model(name: str) -> InstalledModel:
    return InstalledModel(
        name=name,
        kind="encoder",
        sentence_embeddings=True,
        tasks=("embed", "classify"),
        context=256,
        licence="Apache-2.0",
        created=1_700_000_000,
        source=Hub("org/model"),
        files={"model.safetensors": FileRecord("00", 90), "config.json": FileRecord("00", 10)},
        path=Path("models") / name,
    )


def test_list(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, classify_model="a", embed_model="a", chat_model="z")
    shelf = Shelf(model("a"), model("b"), model("c"))
    with front(settings, Holding(), shelf) as running:
        listed = ModelList.model_validate_json(running.http.get("/v1/models").content)
    assert listed.object == "list"
    a, b, c = listed.data
    assert (a.id, a.object, a.owned_by, a.created) == ("a", "model", "hub org/model", 1_700_000_000)
    assert (a.kind, a.tasks, a.context, a.bytes) == ("encoder", ["embed", "classify"], 256, 100)
    assert a.default_for == ["classify", "embed"]
    assert [(one.state, one.progress) for one in (a, b, c)] == [
        ("cached", None),
        ("loading", 0.25),
        ("resident", None),
    ]
    assert [(one.kernels, one.quantization) for one in (a, b, c)] == [
        (None, None),
        (None, None),
        ("native int8", "auto"),
    ]
    assert a.memory is None
    assert b.memory is not None
    assert (b.memory.weights_bytes, b.memory.in_use) == (10, False)
    assert c.memory == ModelMemory(weights_bytes=10, kv_bytes=5, in_use=True, pinned=True)


def test_how_a_chat_model_samples_is_told_before_it_is_loaded(tmp_path: Path) -> None:
    """So that people see, and programs know, what a request without sampling fields takes."""
    stated = chatting(tmp_path, "stated", '{"do_sample": true, "temperature": 0.2, "top_k": 40}')
    silent = chatting(tmp_path, "silent", None)
    broken = chatting(tmp_path, "broken", '{"temperature": "warm"}')
    settings = Settings(home=tmp_path)
    with front(settings, Holding(), Shelf(model("a"), stated, silent, broken)) as running:
        listed = ModelList.model_validate_json(running.http.get("/v1/models").content).data
    found = {one.id: one.sampling for one in listed}
    assert found == {
        "a": None,
        "stated": SamplingDefaults(
            max_tokens=256, temperature=0.2, top_p=1.0, top_k=40, min_p=0.0, repetition_penalty=1.0
        ),
        "silent": SamplingDefaults(
            max_tokens=256, temperature=0.7, top_p=1.0, top_k=None, min_p=0.0, repetition_penalty=1
        ),
        "broken": None,
    }


def chatting(folder: Path, name: str, generation: str | None) -> InstalledModel:
    path = folder / name
    path.mkdir()
    if generation is not None:
        (path / "generation_config.json").write_text(generation)
    return msgspec.structs.replace(model(name), kind="decoder", tasks=("chat",), path=path)


def test_a_key_sees_the_models_that_it_may_use(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, cache=tmp_path, backend="fake")
    with front(settings, FakeBackend(), Shelf(model("a"), model("b"), model("c"))) as running:
        made = running.manage.post("/v1/keys", json={"name": "k", "models": ["b", "x"]})
        with client(running.url, made.json()["secret"]) as http:
            assert [one["id"] for one in http.get("/v1/models").json()["data"]] == ["b"]
        assert len(running.manage.get("/v1/models").json()["data"]) == 3
