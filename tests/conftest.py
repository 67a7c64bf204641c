"""What every test stands on: no files of the user's, no hub, and the embedded models once."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import pytest

# Read once, when the library is imported: before any test imports it.
os.environ["HF_HUB_OFFLINE"] = "1"

from llmaas_server.errors import Problem
from llmaas_server.models.store import Store
from llmaas_server.seam.values import ModelRef
from llmaas_server.settings import load_settings

KEPT = {"LLMAAS_EVAL_DATA", "LLMAAS_TEST_POSTGRES_URL"}
"""Variables of ours that tests read; others would change what is tested."""

# How long an example takes says more about the machine than about the code.
hypothesis.settings.register_profile("llmaas", deadline=None)
hypothesis.settings.load_profile("llmaas")


@pytest.fixture(autouse=True)
def own_folders(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Give each test a home and a cache of its own, also for the processes that it starts.

    With `embedded_store` the cache is the one that holds the embedded models.
    """
    for name in os.environ:
        if name.startswith("LLMAAS_") and name not in KEPT:
            monkeypatch.delenv(name)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path / "llmaas-home"))
    cache = tmp_path / "llmaas-cache"
    if "embedded_store" in request.fixturenames:
        cache = request.getfixturevalue("embedded_store").cache
    monkeypatch.setenv("LLMAAS_CACHE", str(cache))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")


@pytest.fixture(scope="session")
def embedded_store() -> Store:
    """The store of the user's cache with the embedded models, pulled where they are not there."""
    store = Store(load_settings().cache)
    for entry in store.catalogue.model:
        if not entry.embedded:
            continue
        try:
            store.pull(entry.name)
        except Problem as problem:
            pytest.skip(f"no {entry.name}: {problem.message} {problem.hint}")
    return store


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was built from it."""
    pytest.importorskip("build", reason="build is not installed (pip install 'llmaas[dev]')")
    from support.wheels import build_package

    folder = tmp_path_factory.mktemp("dist")
    build_package(folder)
    return folder


@pytest.fixture(scope="session")
def wheel(built: Path) -> Path:
    (path,) = built.glob("*.whl")
    return path


@pytest.fixture(scope="session")
def chat_ref(embedded_store: Store) -> ModelRef:
    """The embedded chat model."""
    return embedded_store.ref(load_settings().chat_model)


@pytest.fixture(scope="session")
def embedding_ref(embedded_store: Store) -> ModelRef:
    """The embedded embedding model."""
    return embedded_store.ref(load_settings().embed_model)
