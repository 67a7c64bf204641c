"""Files that change after they were pulled, and no network once they are here."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.models.catalogue import Catalogue
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.progress import Step
from llmaas_server.models.store import Store


def flip_a_bit(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def test_a_changed_file_is_found_by_its_hash_and_named(
    store: Store, pulled: InstalledModel
) -> None:
    flip_a_bit(pulled.path / "model.safetensors")

    with pytest.raises(Problem, match=r"model\.safetensors has changed") as damage:
        store.verify("tiny")

    assert damage.value.code == "model_broken"
    assert "llmaas models pull tiny" in damage.value.hint


def test_a_pull_mends_what_is_damaged(store: Store, pulled: InstalledModel, index: Path) -> None:
    flip_a_bit(pulled.path / "model.safetensors")
    steps: list[Step] = []

    assert store.pull("tiny", progress=steps.append).files == pulled.files
    assert store.verify("tiny")
    assert any("model.safetensors has changed" in step.stage for step in steps)


def test_sizes_are_checked_before_a_worker_gets_the_model(
    store: Store, pulled: InstalledModel
) -> None:
    os.truncate(pulled.path / "model.safetensors", 100)
    with pytest.raises(Problem, match=r"model\.safetensors has 100 bytes"):
        store.ref("tiny")

    (pulled.path / "model.safetensors").unlink()
    with pytest.raises(Problem, match=r"model\.safetensors is missing"):
        store.ref("tiny")


def test_a_file_too_many_is_named(store: Store, pulled: InstalledModel) -> None:
    (pulled.path / "modeling.py").write_text("print()")

    with pytest.raises(Problem, match=r"modeling\.py is not part of the model"):
        store.verify("tiny")


def test_a_manifest_that_cannot_be_read(
    store: Store, pulled: InstalledModel, wheel: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (pulled.path / "llmaas.json").write_text("{")

    assert store.installed() == []
    assert "llmaas.json cannot be read" in caplog.text
    with pytest.raises(Problem, match=r"llmaas\.json cannot be read"):
        store.find("tiny")
    assert store.import_file(wheel).files == pulled.files


# --- no network ---------------------------------------------------------------------------------


def forbidden(*args: object, **kwargs: object) -> None:
    raise AssertionError("a socket was opened")


def test_no_socket_after_the_first_pull(
    store: Store, pulled: InstalledModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", forbidden)
    monkeypatch.setattr(socket, "create_connection", forbidden)
    again = Store(store.cache, store.catalogue, pip=["false"], hub_endpoint="http://127.0.0.1:9")

    assert again.installed() == [pulled]
    assert again.ref("tiny") == pulled.ref
    assert again.verify("tiny") == pulled
    assert again.pull("tiny") == pulled


LOAD_WITHOUT_SOCKETS = """
import socket, sys
def forbidden(*args, **kwargs):
    raise AssertionError("a socket was opened")
socket.socket.connect = socket.create_connection = socket.getaddrinfo = forbidden
from pathlib import Path
from llmaas_server.models.store import Store
from transformers import AutoTokenizer
store = Store(Path(sys.argv[1]), pip=["false"])
for entry in store.catalogue.model:
    if entry.embedded:
        path = store.pull(entry.name).ref.path
        assert AutoTokenizer.from_pretrained(path).encode("hello")
        assert store.find(entry.name).kind == entry.kind
        assert store.find(entry.name).context == entry.context
"""


@pytest.mark.real_models
def test_the_embedded_models_load_without_sockets(embedded_store: Store) -> None:
    command = [sys.executable, "-c", LOAD_WITHOUT_SOCKETS, str(embedded_store.cache)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_an_empty_catalogue_and_cache(tmp_path: Path) -> None:
    store = Store(tmp_path / "none", Catalogue(()))

    assert store.installed() == []
    with pytest.raises(Problem, match="on this machine: none; in the catalogue: none"):
        store.find("x")
    assert not (tmp_path / "none").exists()
