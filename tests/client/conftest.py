from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def nothing_around(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No key, no address, no proxy of the machine that runs the tests."""
    for name in (
        "LLMAAS_BASE_URL",
        "LLMAAS_API_KEY",
        "LLMAAS_MANAGEMENT_KEY",
        "LLMAAS_DEBUG",
        "NO_COLOR",
    ):
        monkeypatch.delenv(name, raising=False)
    for scheme in ("http", "https", "all", "no"):
        monkeypatch.delenv(f"{scheme}_proxy", raising=False)
        monkeypatch.delenv(f"{scheme}_proxy".upper(), raising=False)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path / "home"))
