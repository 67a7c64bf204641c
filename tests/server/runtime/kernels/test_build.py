"""Building the kernels: once, whole, and with a reason where it cannot be."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmaas_server.runtime.kernels import build
from support.kernels import FOLDER, library


def test_what_is_built_is_found() -> None:
    assert library().instructions in {"avx512-vnni", "avx2", "portable"}
    assert build.find(FOLDER) == build.build(FOLDER)


def test_nothing_is_found_where_nothing_was_built(tmp_path: Path) -> None:
    assert build.find(tmp_path) is None


def test_a_library_that_others_can_write_is_not_taken(tmp_path: Path) -> None:
    library()
    copy = tmp_path / build.build(FOLDER).name
    shutil.copy(build.build(FOLDER), copy)
    assert build.find(tmp_path) == copy
    copy.chmod(0o722)
    assert build.find(tmp_path) is None


def test_no_compiler_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert build.find(tmp_path) is None
    with pytest.raises(build.CannotBuild, match=r"C\+\+ compiler"):
        build.build(tmp_path)


def test_a_compiler_that_fails_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiler = tmp_path / "bin" / "c++"
    compiler.parent.mkdir()
    compiler.write_text("#!/bin/sh\necho 'out of registers' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setenv("PATH", f"{compiler.parent}:/usr/bin:/bin")
    with pytest.raises(build.CannotBuild, match="out of registers"):
        build.build(tmp_path / "kernels")
    assert list((tmp_path / "kernels").iterdir()) == []
