"""A page in a browser cannot reach the server on this machine, unless it may."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from llmaas_client.wire.errors import ErrorBody
from llmaas_server.settings import Settings
from support.front import Front, front

LIVE = "/health/live"
EMBED = "/v1/tasks/embed"
APP = "https://app.example.org"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        backend="fake",
        allowed_hosts=("llm.example.org",),
        allowed_origins=(APP,),
    )
    with front(settings) as running:
        yield running


def refusal(response: httpx.Response) -> str:
    error = ErrorBody.model_validate_json(response.content).error
    assert error.code == "not_allowed"
    assert error.request_id == response.headers["x-request-id"]
    return f"{error.message}; {error.hint}"


def port_of(server: Front) -> str:
    return server.url.rpartition(":")[2]


@pytest.mark.parametrize(
    "host",
    [
        "localhost",
        "LOCALHOST:80",
        "localhost.",
        "127.0.0.1",
        "192.0.2.7:8000",
        "[::1]:8000",
        "llm.example.org",
        "LLM.example.org:443",
    ],
)
def test_names_of_the_server(server: Front, host: str) -> None:
    assert server.http.get(LIVE, headers={"host": host}).status_code == httpx.codes.OK


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "x.llm.example.org",
        "[::1",
        "localhost@evil.example",
        "0x7f000001",
        "a]b",
    ],
)
@pytest.mark.parametrize("path", [LIVE, EMBED, "/openapi.json"])
def test_names_bent_to_this_machine(server: Front, host: str, path: str) -> None:
    said = refusal(server.http.get(path, headers={"host": host}))
    assert "allowed_hosts" in said


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://app.example.org",
        f"{APP}:8443",
        "file://",
        "",
        f"{APP}.evil.example",
        "http://localhost:1",
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE", "OPTIONS"])
def test_pages_from_elsewhere(server: Front, origin: str, method: str) -> None:
    response = server.http.request(method, EMBED, headers={"origin": origin}, json={"text": "a"})
    assert "allowed_origins" in refusal(response)
    assert not [name for name in response.headers if name.startswith("access-control")]


def test_pages_of_the_server_itself(server: Front) -> None:
    for name in ("localhost", "127.0.0.1"):
        host = f"{name}:{port_of(server)}"
        response = server.http.post(
            EMBED, headers={"host": host, "origin": f"http://{host}"}, json={"text": "a"}
        )
        assert response.status_code == httpx.codes.OK


def test_pages_of_an_allowed_origin(server: Front) -> None:
    response = server.http.post(EMBED, headers={"origin": APP}, json={"text": "a"})
    assert response.status_code == httpx.codes.OK
    assert response.headers["access-control-allow-origin"] == APP
    assert "access-control-allow-credentials" not in response.headers
    assert response.headers["vary"] == "Origin"


def test_pages_of_an_allowed_origin_may_read_errors(server: Front) -> None:
    response = httpx.post(f"{server.url}{EMBED}", headers={"origin": APP})
    assert response.status_code == httpx.codes.UNAUTHORIZED
    assert response.headers["access-control-allow-origin"] == APP
    assert "x-request-id" in response.headers["access-control-expose-headers"]


def test_preflight_of_an_allowed_origin_needs_no_key(server: Front) -> None:
    asks = {"origin": APP, "access-control-request-method": "POST"}
    response = httpx.options(f"{server.url}{EMBED}", headers=asks)
    assert response.status_code == httpx.codes.NO_CONTENT
    assert "POST" in response.headers["access-control-allow-methods"]
    assert "authorization" in response.headers["access-control-allow-headers"]
    assert "*" not in response.headers.values()


def test_without_allowed_origins_nothing_is_shared(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    home = tmp_path_factory.mktemp("closed")
    with front(Settings(home=home, backend="fake")) as running:
        asks = {"origin": APP, "access-control-request-method": "POST"}
        refusal(httpx.options(f"{running.url}{EMBED}", headers=asks))
        refusal(running.http.post(EMBED, headers={"origin": APP}, json={"text": "a"}))
