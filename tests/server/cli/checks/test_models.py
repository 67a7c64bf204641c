"""Default models that are missing, damaged, or cannot do what they are for."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.cli.checks import models
from llmaas_server.models.store import Store
from llmaas_server.settings import Settings
from support.checking import found, only, settings
from support.model_files import model_folder

EMBEDDER = "tiny"


def of(tmp_path: Path, **values: str) -> Settings:
    """Where `tiny` is the default for all that are not named."""
    roles = dict.fromkeys(settings(tmp_path).default_models, EMBEDDER)
    given = {f"{role}_model": name for role, name in (roles | values).items()}
    return settings(tmp_path, **given)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    store = Store(settings(tmp_path).cache)
    store.import_file(model_folder(tmp_path / "made"), EMBEDDER)
    return store


@pytest.mark.parametrize(
    ("name", "says", "remedy"),
    [
        ("all-minilm-l6-v2", "not on this machine", "llmaas models pull all-minilm-l6-v2"),
        ("org/model", "no model is named", "llmaas models pull org/model"),
        ("minilm", "no model is named", "set chat_model to a name that "),
    ],
)
def test_not_here(tmp_path: Path, store: Store, name: str, says: str, remedy: str) -> None:
    finding = found(models.models(of(tmp_path, chat=name)), f"model {name}")
    assert finding.state == "wrong"
    assert says in finding.found
    assert (finding.remedy or "").startswith(remedy)


def test_damaged(tmp_path: Path, store: Store) -> None:
    weights = store.find(EMBEDDER).path / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    finding = found(models.models(of(tmp_path)), f"model {EMBEDDER}")
    assert finding.state == "wrong"
    assert "its SHA-256 does not match" in finding.found
    assert finding.remedy == f"llmaas models pull {EMBEDDER}"


def test_one_that_is_no_default_is_looked_at_quickly(tmp_path: Path, store: Store) -> None:
    store.import_file(tmp_path / "made", "other")
    (store.find("other").path / "config.json").unlink()
    finding = found(models.models(of(tmp_path)), "model other")
    assert (finding.state, finding.remedy) == ("weak", "llmaas models pull other")


def test_one_that_cannot_do_its_task(tmp_path: Path, store: Store) -> None:
    (finding, *_) = [
        one for one in models.models(of(tmp_path)) if "the setting chat_model" in one.found
    ]
    assert finding.state == "wrong"
    assert "can chat (decoder), and this is a model of kind encoder" in finding.found
    assert (finding.remedy or "").startswith("llmaas models list --all --task chat")


def test_the_fake_backend_needs_none(tmp_path: Path) -> None:
    assert only(models.models(settings(tmp_path, backend="fake"))).state == "ok"
