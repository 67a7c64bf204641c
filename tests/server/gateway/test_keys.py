"""Keys are made once, kept hashed, and found by nobody else."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from llmaas_client.wire.credentials import FILE_NAME as CREDENTIALS
from llmaas_client.wire.credentials import Credentials
from llmaas_server.gateway.keys import FILE_NAME, KeyFileError, KeyRing, bootstrap, digest, mint

HERE = "http://127.0.0.1:8000"
THERE = "http://127.0.0.1:9000"


def key_for(home: Path, url: str) -> str:
    credentials = Credentials.model_validate_json((home / CREDENTIALS).read_bytes())
    return credentials.servers[url].inference_key


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_keys_are_long_and_different() -> None:
    keys = {mint() for _ in range(100)}
    assert len(keys) == 100
    assert all(key.startswith("llmaas_") and len(key) == 50 for key in keys)


def test_first_key(tmp_path: Path) -> None:
    home = tmp_path / "deep" / "home"
    bootstrap(home, HERE)
    key = key_for(home, HERE)
    assert KeyRing.read(home).find(key)
    assert mode_of(home) == 0o700
    assert [mode_of(path) for path in home.glob("*.json")] == [0o600, 0o600]
    assert key not in (home / FILE_NAME).read_text()
    assert sorted(path.name for path in home.iterdir()) == [".lock", CREDENTIALS, FILE_NAME]


def test_open_home_is_closed(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    bootstrap(tmp_path, HERE)
    assert mode_of(tmp_path) == 0o700


def test_same_address_keeps_its_key(tmp_path: Path) -> None:
    bootstrap(tmp_path, HERE)
    before = {path.name: path.read_bytes() for path in tmp_path.glob("*.json")}
    bootstrap(tmp_path, HERE)
    assert {path.name: path.read_bytes() for path in tmp_path.glob("*.json")} == before


def test_another_address_gets_the_same_key(tmp_path: Path) -> None:
    bootstrap(tmp_path, HERE)
    bootstrap(tmp_path, THERE)
    assert key_for(tmp_path, HERE) == key_for(tmp_path, THERE)


def test_lost_credentials_are_made_anew_and_the_old_key_stays_good(tmp_path: Path) -> None:
    bootstrap(tmp_path, HERE)
    old = key_for(tmp_path, HERE)
    (tmp_path / CREDENTIALS).unlink()
    bootstrap(tmp_path, HERE)
    new = key_for(tmp_path, HERE)
    ring = KeyRing.read(tmp_path)
    assert old != new
    assert ring.find(old)
    assert ring.find(new)
    assert ring.find(old) != ring.find(new)


def test_lost_hashes_make_old_keys_unknown(tmp_path: Path) -> None:
    bootstrap(tmp_path, HERE)
    old = key_for(tmp_path, HERE)
    (tmp_path / FILE_NAME).unlink()
    bootstrap(tmp_path, HERE)
    assert KeyRing.read(tmp_path).find(old) is None
    assert KeyRing.read(tmp_path).find(key_for(tmp_path, HERE))


def test_servers_that_start_at_once_share_a_key(tmp_path: Path) -> None:
    urls = [f"http://127.0.0.1:{port}" for port in range(9000, 9008)]
    threads = [threading.Thread(target=bootstrap, args=(tmp_path, url)) for url in urls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key_for(tmp_path, url) for url in urls}) == 1


@pytest.mark.parametrize("name", [FILE_NAME, CREDENTIALS])
def test_damaged_file_is_named_and_kept(tmp_path: Path, name: str) -> None:
    bootstrap(tmp_path, HERE)
    (tmp_path / name).write_text("{")
    with pytest.raises(KeyFileError, match=name):
        bootstrap(tmp_path, HERE)
    assert (tmp_path / name).read_text() == "{"


@pytest.mark.parametrize(
    "other", ["", "llmaas_", "llmaas_" + "a" * 42, "llmaas_" + "a" * 44, "llmaas_" + "é" * 43]
)
def test_what_is_no_key_is_unknown(other: str) -> None:
    assert KeyRing((digest(other),)).find(other) is None


def test_unknown_key() -> None:
    key = mint()
    ring = KeyRing((digest(mint()), digest(key)))
    assert ring.find(key)
    assert ring.find(mint()) is None
    assert ring.find(key[:-1] + ("a" if key[-1] != "a" else "b")) is None
    assert KeyRing(()).find(key) is None
