"""Finding the server of this home: by a file that it holds as long as it runs."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest

from llmaas_client.running import address_in
from llmaas_client.wire.running import FILE_NAME, RunningServer

URL = "http://127.0.0.1:9000"


def write(home: Path, content: str = RunningServer(url=URL).model_dump_json()) -> Path:
    path = home / FILE_NAME
    path.write_text(content)
    return path


def test_the_one_who_holds_the_file_is_found(tmp_path: Path) -> None:
    with write(tmp_path).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert address_in(tmp_path) == URL
    assert address_in(tmp_path) is None


def test_there_is_none_where_there_is_no_file(tmp_path: Path) -> None:
    assert address_in(tmp_path) is None
    assert address_in(tmp_path / "missing") is None


@pytest.mark.parametrize("content", ["", "{", '{"url": 3}'])
def test_a_file_that_is_not_yet_written_names_none(tmp_path: Path, content: str) -> None:
    with write(tmp_path, content).open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert address_in(tmp_path) is None


def test_looking_leaves_the_file_free(tmp_path: Path) -> None:
    path = write(tmp_path)
    assert address_in(tmp_path) is None
    with path.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
