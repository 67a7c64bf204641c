"""Pulls from the hub, against a small one of our own."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import constants

from llmaas_server.errors import Problem
from llmaas_server.models.origin import Hub as HubOrigin
from llmaas_server.models.store import Store
from support.hub import COMMIT, Hub, serving
from support.model_files import catalogue_of, model_folder


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    made = model_folder(tmp_path / "made")
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    others = ("pytorch_model.bin", "modeling.py", "onnx/model.onnx", "model.fp16.safetensors")
    files |= dict.fromkeys(others, b"not asked for")
    files["1_Pooling/config.json"] = b"{}"
    with serving(Hub({"org/tiny": files})) as hub:
        yield hub


@pytest.fixture
def store(tmp_path: Path, hub: Hub) -> Store:
    return Store(tmp_path / "cache", catalogue_of(), hub_endpoint=hub.endpoint)


def refusal(store: Store, what: str) -> Problem:
    with pytest.raises(Problem) as caught:
        store.pull(what)
    assert store.installed() == []
    return caught.value


def test_pull(store: Store, hub: Hub) -> None:
    model = store.pull("org/tiny")

    needed = ["1_Pooling/config.json", "config.json", "model.safetensors", "tokenizer.json"]
    assert sorted(model.files) == sorted(set(hub.fetched)) == needed
    assert model.source == HubOrigin("org/tiny", COMMIT)
    assert (model.name, model.licence, model.sentence_embeddings) == ("org/tiny", "mit", True)
    assert model.path.name == "org--tiny"
    assert store.verify("org/tiny") == model
    assert not list(model.path.glob(".*"))
    assert not list((store.cache / "models" / ".incoming").iterdir())


def test_no_network_once_it_is_here(
    store: Store, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = store.pull("org/tiny")
    monkeypatch.setattr(socket, "socket", None)
    monkeypatch.setattr(socket, "create_connection", None)

    assert store.pull("org/tiny") == model
    assert store.ref("org/tiny") == model.ref


def test_a_revision_is_a_name_of_its_own(store: Store, hub: Hub) -> None:
    assert store.pull("org/tiny@v1.0").name == "org/tiny@v1.0"
    assert hub.revisions[0] == "v1.0"
    with pytest.raises(Problem, match="no model is named 'org/tiny'"):
        store.find("org/tiny")


def test_a_pull_goes_on_where_it_was_cut(store: Store, hub: Hub) -> None:
    hub.cut.add("model.safetensors")
    problem = refusal(store, "org/tiny")
    assert problem.code == "hub_unreachable"

    hub.cut.clear()
    hub.fetched.clear()
    store.pull("org/tiny")
    assert set(hub.fetched) == {"model.safetensors"}


@pytest.mark.parametrize(
    ("answer", "code", "word"),
    [
        ((403, "GatedRepo"), "hub_unreachable", "accepted its licence"),
        ((404, "RepoNotFound"), "model_not_found", "the hub has no model org/tiny"),
        ((404, "RevisionNotFound"), "model_not_found", "org/tiny has no revision"),
        ((400, "Whatever"), "hub_unreachable", "cannot be fetched from the hub"),
    ],
)
def test_what_the_hub_refuses(
    store: Store, hub: Hub, answer: tuple[int, str], code: str, word: str
) -> None:
    hub.refused["org/tiny"] = answer

    problem = refusal(store, "org/tiny")

    assert problem.code == code
    assert word in problem.message
    assert "\n" not in problem.message


def test_pickle_alone_is_refused_before_a_download(store: Store, hub: Hub) -> None:
    del hub.repositories["org/tiny"]["model.safetensors"]

    problem = refusal(store, "org/tiny")

    assert problem.code == "model_broken"
    assert "as pickle only (pytorch_model.bin)" in problem.message
    assert hub.fetched == []


def test_code_of_the_model_is_refused(store: Store, hub: Hub) -> None:
    hub.repositories["org/tiny"]["config.json"] = b'{"a": [{"auto_map": {}}]}'

    assert "asks to run code" in refusal(store, "org/tiny").message


def test_the_hub_cannot_be_reached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]  # closed when the block ends
    store = Store(tmp_path, catalogue_of(), hub_endpoint=f"http://127.0.0.1:{port}")

    problem = refusal(store, "org/tiny")

    assert problem.code == "hub_unreachable"
    assert "llmaas models import FOLDER --name org/tiny" in problem.hint


def test_offline_mode_is_respected(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)

    assert refusal(store, "org/tiny").code == "hub_unreachable"
