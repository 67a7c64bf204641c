"""A server tells the commands of its home where it answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_client.running import address_in
from llmaas_client.wire.running import FILE_NAME
from llmaas_server.gateway.running import told

URL = "http://127.0.0.1:9000"


def test_it_is_found_while_it_runs(tmp_path: Path) -> None:
    with told(tmp_path, URL):
        assert address_in(tmp_path) == URL
    assert address_in(tmp_path) is None


def test_it_is_not_found_after_it_failed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), told(tmp_path, URL):
        raise KeyboardInterrupt
    assert address_in(tmp_path) is None


def test_the_next_one_takes_its_place(tmp_path: Path) -> None:
    with told(tmp_path, "https://a-longer-name.example:12345"):
        pass
    with told(tmp_path, URL):
        assert address_in(tmp_path) == URL
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
