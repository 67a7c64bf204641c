from __future__ import annotations

import json
from pathlib import Path

import pytest

from llmaas_client import config
from llmaas_client.config import Address
from llmaas_client.errors import ConfigurationError

HERE = "http://127.0.0.1:8000"


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))
    return tmp_path


def leave_key(home: Path, url: str, key: str = "key-of-file") -> None:
    servers = {"servers": {url: {"inference_key": key}}}
    (home / "credentials.json").write_text(json.dumps(servers))


@pytest.mark.parametrize(
    ("given", "url"),
    [
        ("http://127.0.0.1:8000", HERE),
        (" http://127.0.0.1:8000/ ", HERE),
        ("HTTP://LocalHost:80/", "http://localhost"),
        ("https://llm.example:443", "https://llm.example"),
        ("https://llm.example/base/", "https://llm.example/base"),
        ("http://[::1]:8000", "http://[::1]:8000"),
    ],
)
def test_an_address_has_one_form(given: str, url: str) -> None:
    assert Address.parse(given).url == url


@pytest.mark.parametrize(
    "given",
    ["", "localhost:8000", "ftp://x", "http://", "http://x?y=1", "http://x#y", "http://x:notaport"],
)
def test_refuses_what_is_no_address(given: str) -> None:
    with pytest.raises(ConfigurationError):
        Address.parse(given)


def test_refuses_a_password_in_the_address_without_repeating_it() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Address.parse("http://user:s3cret@host")
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1", True),
        ("http://127.9.9.9", True),
        ("http://[::1]", True),
        ("http://localhost", True),
        ("http://localhost.example", False),
        ("http://10.0.0.1", False),
    ],
)
def test_knows_this_machine(url: str, local: bool) -> None:
    assert Address.parse(url).is_local is local


def test_arguments_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_BASE_URL", "http://env:1")
    monkeypatch.setenv("LLMAAS_API_KEY", "env-key\n")
    found = config.resolve()
    assert (found.address.url, found.key()) == ("http://env:1", "env-key")
    found = config.resolve("http://arg:2", "arg-key")
    assert (found.address.url, found.key()) == ("http://arg:2", "arg-key")


def test_defaults() -> None:
    found = config.resolve()
    assert found.address.url == HERE
    assert found.key() is None


@pytest.mark.parametrize("key", ["", "  ", "two words", "line\nbreak", "kéy"])
def test_refuses_keys_that_are_none(key: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        config.resolve(None, key)
    assert key.strip() == "" or key not in str(caught.value)


def test_finds_the_key_that_is_bound_to_the_address(home: Path) -> None:
    leave_key(home, HERE + "/")
    assert config.resolve(HERE).key() == "key-of-file"


@pytest.mark.parametrize(
    "other",
    [
        "http://localhost:8000",
        "http://127.0.0.1:8001",
        "https://127.0.0.1:8000",
        "http://127.0.0.1:8000/base",
        "http://127.0.0.2:8000",
        "http://example.com:8000",
    ],
)
def test_never_gives_the_key_to_another_address(home: Path, other: str) -> None:
    leave_key(home, HERE)
    assert config.resolve(other).key() is None


def test_a_given_key_wins_over_the_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    leave_key(home, HERE)
    monkeypatch.setenv("LLMAAS_API_KEY", "env-key")
    assert config.resolve(HERE).key() == "env-key"


def test_refuses_to_send_the_key_of_the_file_in_clear(home: Path) -> None:
    leave_key(home, "http://10.0.0.5:8000")
    with pytest.raises(ConfigurationError, match="unencrypted") as caught:
        config.resolve("http://10.0.0.5:8000").key()
    assert "key-of-file" not in str(caught.value)
    leave_key(home, "https://10.0.0.5:8000")
    assert config.resolve("https://10.0.0.5:8000").key() == "key-of-file"


@pytest.mark.parametrize("content", ["{", '{"servers": 5}', '{"servers": {"x": {}}}'])
def test_names_a_damaged_file(home: Path, content: str) -> None:
    path = home / "credentials.json"
    path.write_text(content)
    with pytest.raises(ConfigurationError, match="damaged") as caught:
        config.resolve(HERE).key()
    assert str(path) in str(caught.value)


def test_reads_the_file_when_asked_and_not_before(home: Path) -> None:
    found = config.resolve(HERE)
    assert found.key() is None
    leave_key(home, HERE)
    assert found.key() == "key-of-file"


def test_a_key_is_not_in_the_repr() -> None:
    assert "s3cret" not in repr(config.resolve(None, "s3cret"))


def test_a_proxy_is_never_between_this_machine_and_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("http_proxy", "http://proxy:3128")
    monkeypatch.setenv("no_proxy", "inside.example")
    assert config.resolve(HERE).proxy() is None
    assert config.resolve("http://localhost:8000").proxy() is None
    assert config.resolve("http://inside.example").proxy() is None
    assert config.resolve("http://outside.example").proxy() == "http://proxy:3128"


@pytest.mark.parametrize(("value", "on"), [("", False), ("0", False), ("1", True)])
def test_debug(monkeypatch: pytest.MonkeyPatch, value: str, on: bool) -> None:
    monkeypatch.setenv("LLMAAS_DEBUG", value)
    assert config.debug() is on
