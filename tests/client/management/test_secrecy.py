"""Keys of a home go to the address that they are for, and to no other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import respx

from llmaas_client import AsyncClient, Client, errors
from llmaas_client.wire.credentials import FILE_NAME

HERE = "http://127.0.0.1:8000"
ELSEWHERE = "http://127.0.0.1:9000"
KEYS = {"inference_key": "of-tasks", "management_key": "of-management"}


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))
    leave(tmp_path, HERE, KEYS)
    return tmp_path


def leave(home: Path, url: str, keys: dict[str, str]) -> None:
    (home / FILE_NAME).write_text(json.dumps({"servers": {url: keys}}))


def key_sent(route: respx.Route) -> str | None:
    sent: str | None = route.calls.last.request.headers.get("authorization")
    return sent


@respx.mock
def test_the_keys_of_the_home_serve_its_own_address() -> None:
    route = respx.route().respond(json={"keys": []})
    with Client(HERE) as client:
        client.account.keys.list()
    assert key_sent(route) == "Bearer of-management"


@pytest.mark.parametrize(
    "url", [ELSEWHERE, "http://localhost:8000", "https://127.0.0.1:8000", f"{HERE}/base"]
)
@respx.mock
def test_no_other_address_sees_them(url: str) -> None:
    route = respx.route().respond(json={"keys": [], "object": "list", "data": []})
    with Client(url) as client:
        with pytest.raises(errors.MissingKey, match="management_key"):
            client.account.keys.list()
        assert not route.called
        client.models()
    assert key_sent(route) is None


@respx.mock
async def test_no_other_address_sees_them_async() -> None:
    route = respx.route().respond(json={"keys": []})
    async with AsyncClient(ELSEWHERE) as client:
        with pytest.raises(errors.MissingKey):
            await client.account.keys.list()
    assert not route.called


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@respx.mock
def test_redirects_are_not_followed(status: int) -> None:
    elsewhere = respx.route(host="127.0.0.1", port=9000).respond(json={"keys": []})
    respx.route(host="127.0.0.1", port=8000).respond(
        status, headers={"location": f"{ELSEWHERE}/v1/keys"}
    )
    with Client(HERE) as client:
        with pytest.raises(errors.UnexpectedResponse, match="Redirects are not followed"):
            client.account.keys.list()
        with pytest.raises(errors.UnexpectedResponse):
            client.account.keys.create("ci")
    assert not elsewhere.called


@respx.mock
async def test_redirects_are_not_followed_async() -> None:
    elsewhere = respx.route(host="127.0.0.1", port=9000).respond(json={"keys": []})
    respx.route(host="127.0.0.1", port=8000).respond(307, headers={"location": ELSEWHERE})
    async with AsyncClient(HERE) as client:
        with pytest.raises(errors.UnexpectedResponse):
            await client.account.keys.list()
    assert not elsewhere.called


@respx.mock
def test_what_was_given_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    route = respx.route().respond(json={"keys": []})
    monkeypatch.setenv("LLMAAS_MANAGEMENT_KEY", "of-environment\n")
    with Client(HERE) as client:
        client.account.keys.list()
    assert key_sent(route) == "Bearer of-environment"
    with Client(HERE, management_key="of-argument") as client:
        client.account.keys.list()
    assert key_sent(route) == "Bearer of-argument"


@respx.mock
def test_a_key_that_was_given_for_tasks_manages_nothing() -> None:
    route = respx.route().respond(json={"keys": []})
    with Client(ELSEWHERE, "of-argument") as client, pytest.raises(errors.MissingKey):
        client.account.keys.list()
    assert not route.called


@pytest.mark.parametrize("key", ["", "two words", "schlüssel"])
def test_refuses_what_is_no_key(key: str) -> None:
    with pytest.raises(errors.ConfigurationError, match="management_key"):
        Client(HERE, management_key=key)


def test_nothing_crosses_the_network_unencrypted(home: Path) -> None:
    leave(home, "http://llm.example", KEYS)
    with (
        Client("http://llm.example") as client,
        pytest.raises(errors.ConfigurationError, match="management_key="),
    ):
        client.account.show()


def test_an_old_home_has_no_management_key(home: Path) -> None:
    leave(home, HERE, {"inference_key": "of-tasks"})
    with Client(HERE) as client, pytest.raises(errors.MissingKey):
        client.account.show()


def test_nothing_is_loaded_before_it_is_used() -> None:
    code = (
        "import sys; from llmaas_client import Client; c = Client(); "
        "before = [n for n in sys.modules if n.startswith('llmaas_client.management')]; "
        "c.account; c.accounts; c.usage; c.prices; "
        "after = [n for n in sys.modules if n.startswith('llmaas_client.management')]; "
        "print(len(before), len(after) > 5)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.split() == ["0", "True"]
