"""Homes and caches of others, open to others, and full; each remedy is typed."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from llmaas_server.cli.checks import folders
from llmaas_server.cli.checks.finding import Finding
from llmaas_server.settings import Settings
from support.checking import only, settings, started_once

CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "home": folders.home,
    "cache": folders.cache,
}
both = pytest.mark.parametrize("what", CHECKS)


def look(what: str, folder: Path) -> Finding:
    return only(CHECKS[what](Settings.model_validate({"home": folder, "cache": folder})))


@both
def test_one_that_will_be_made(what: str, tmp_path: Path) -> None:
    assert look(what, tmp_path / "none" / "yet").state == "ok"


@pytest.mark.parametrize("name", ["", "credentials.json", "llmaas.db", "secrets"])
def test_a_home_open_to_others(tmp_path: Path, name: str) -> None:
    home = started_once(tmp_path / "my home")
    assert only(folders.home(settings(home))).state == "ok"
    (home / name).chmod(0o755)
    finding = only(folders.home(settings(home)))
    assert finding.state == "wrong"
    assert str(home / name) in finding.found
    assert finding.remedy
    subprocess.run(finding.remedy, shell=True, check=True)
    assert only(folders.home(settings(home))).state == "ok"


@both
def test_a_file_in_its_place(what: str, tmp_path: Path) -> None:
    place = tmp_path / "file"
    place.touch()
    finding = look(what, place)
    assert (finding.state, finding.found) == ("wrong", f"{place} is a file, and should be a folder")
    assert finding.remedy
    subprocess.run(finding.remedy, shell=True, check=True)
    assert look(what, place).state == "ok"


@both
def test_another_users(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    tmp_path.chmod(0o700)
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    finding = look(what, tmp_path)
    assert finding.state == "wrong"
    assert f"belongs to user {me}, and this is user {me + 1}" in finding.found
    assert f"sudo chown -R {me + 1} {tmp_path}" in (finding.remedy or "")


@both
def test_one_that_cannot_be_written(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    finding = look(what, tmp_path)
    assert (finding.state, finding.found) == ("wrong", f"{tmp_path} cannot be written")
    assert f"or set LLMAAS_{what.upper()} to a folder of yours" in (finding.remedy or "")


@both
def test_a_full_disk(what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tmp_path.chmod(0o700)
    assert look(what, tmp_path).state == "ok"
    monkeypatch.setattr(folders, "LEAST_DISK", 1 << 80)
    monkeypatch.setattr(folders, "LEAST_HOME", 1 << 80)
    finding = look(what, tmp_path)
    assert finding.state == {"home": "wrong", "cache": "weak"}[what]
    assert (finding.remedy or "").startswith("make room: ")
