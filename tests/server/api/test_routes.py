"""Every address: who may call it, how it is described, and what it says to the wrong method."""

from __future__ import annotations

import json
import logging
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from llmaas_client.wire.errors import ERRORS, ErrorBody
from llmaas_client.wire.models import Health, ModelInfo, ModelList
from llmaas_server.app import create_app
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.gateway.ids import new_id
from llmaas_server.gateway.key_format import mint
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from support.front import Front, front

PUBLIC = {
    ("GET", "/health/live"),
    ("GET", "/health/ready"),
    ("POST", "/v1/sign-in"),
    ("POST", "/v1/password"),
    ("GET", "/"),  # leads to the console
    ("GET", "/console"),
    ("GET", "/docs"),
}
"""All that needs no key: this list is written by hand, and exact."""

REGISTER = ("POST", "/v1/register")
"""Public as well, where the settings let people register."""


def routes(**options: Any) -> list[tuple[str, str]]:
    """Method and path of everything that is served."""
    with TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder), backend="fake", **options)
        services = Services.open(settings)
        app: Starlette = create_app(settings, services, FakeBackend())
        services.release()
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, Route)
        for method in sorted(route.methods or ())
    ]


ROUTES = routes()
TAKES_BOTH = {"/v1/tasks", "/v1/models", "/v1/models/{id:path}", "/openapi.json", "/v1/prices"}
"""Paths that are for keys of either kind."""
PUBLIC_PATHS = {path for _, path in PUBLIC}
PRIVATE = [(method, path) for method, path in ROUTES if path not in PUBLIC_PATHS]


def test_there_are_public_and_private_routes() -> None:
    assert set(ROUTES) > PUBLIC
    assert ("POST", "/v1/tasks/chat") in PRIVATE
    assert ("POST", "/predict") in PRIVATE


@pytest.mark.parametrize("mode", ["closed", "invite", "open"])
def test_public_routes_are_these(tmp_path: Path, mode: Literal["closed", "invite", "open"]) -> None:
    """Walks the route table of a running server, without a key."""
    settings = Settings(home=tmp_path, cache=tmp_path, backend="fake", registration=mode)
    with front(settings) as server, httpx.Client(base_url=server.url) as stranger:
        found = {
            (method, path)
            for method, path in routes(registration=mode)
            if stranger.request(method, path).status_code != ERRORS["missing_key"].status
            and method != "HEAD"
        }
    assert found == (PUBLIC if mode == "closed" else PUBLIC | {REGISTER})


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_each_key_is_refused_where_the_other_kind_belongs(
    server: Front, method: str, path: str
) -> None:
    """An address takes inference keys or management keys; a few take both, and only look."""
    codes = [
        ErrorBody.model_validate_json(response.content).error.code
        for one in (server.http, server.manage)
        if (response := one.request(method if method != "HEAD" else "GET", path)).is_error
        and response.status_code == ERRORS["not_allowed"].status
    ]
    looks = method in ("GET", "HEAD")
    assert codes == ([] if path in TAKES_BOTH and looks else ["not_allowed"])


@pytest.mark.parametrize(("method", "path"), PRIVATE)
def test_a_key_without_scopes_may_nothing(
    stranger: httpx.Client, nothing: tuple[str, str], method: str, path: str
) -> None:
    for key in nothing:
        response = stranger.request(method, path, headers={"authorization": f"Bearer {key}"})
        if path not in TAKES_BOTH | {"/metrics", "/v1/server"}:
            assert response.status_code == ERRORS["not_allowed"].status


@pytest.fixture(scope="module")
def stranger(server: Front) -> Iterator[httpx.Client]:
    """A client without a key."""
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture(scope="module")
def nothing(server: Front) -> tuple[str, str]:
    """An inference key for no task, and a management key for one harmless action."""
    bodies = [
        {"name": "nothing", "tasks": [], "models": []},
        {"name": "nothing", "kind": "management", "actions": ["metrics:read"]},
    ]
    made = [server.manage.post("/v1/keys", json=body).raise_for_status() for body in bodies]
    first, second = (response.json()["secret"] for response in made)
    return first, second


@pytest.mark.parametrize(("method", "path"), PRIVATE)
@pytest.mark.parametrize(
    ("header", "code"),
    [
        (None, "missing_key"),
        ("Bearer", "missing_key"),
        (f"Bearer {mint('management', new_id('key'))}", "invalid_key"),
        ("Bearer llmaas_short", "invalid_key"),
        ("Basic dXNlcjpwYXNz", "invalid_key"),
        ("Bearer " + "x" * 5000, "invalid_key"),
    ],
)
def test_private_routes_need_a_key(
    stranger: httpx.Client, method: str, path: str, header: str | None, code: str
) -> None:
    headers = {} if header is None else {"authorization": header}
    response = stranger.request(method, path, headers=headers)
    assert response.status_code == ERRORS["missing_key"].status
    assert response.headers["www-authenticate"].startswith("Bearer")
    if method != "HEAD":
        assert ErrorBody.model_validate_json(response.content).error.code == code


def test_nobody_learns_what_is_there_without_a_key(server: Front) -> None:
    for path in ("/nothing", "/v1/tasks/nothing", "/health", "/health/live/", "//health/live"):
        assert httpx.get(server.url + path).status_code == ERRORS["missing_key"].status


def test_refused_before_the_body_is_sent(server: Front) -> None:
    """A caller without a key gets the answer while the server still waits for the body."""
    url = httpx.URL(server.url)
    with socket.create_connection((url.host, url.port or 0), timeout=10) as connection:
        connection.sendall(
            b"POST /v1/tasks/chat HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
            b"content-length: 1000000\r\n\r\n"
        )
        assert b"missing_key" in read_response(connection)


def read_response(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received or not received.endswith(b"}"):
        chunk = connection.recv(65536)
        assert chunk, received
        received += chunk
    return received


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_health_needs_none(server: Front, path: str) -> None:
    response = httpx.get(server.url + path)
    assert response.status_code == httpx.codes.OK
    assert Health.model_validate_json(response.content).status == "ok"


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_wrong_method(server: Front, method: str, path: str) -> None:
    wrongs = {"DELETE", "OPTIONS", "PATCH"} - {right for right, there in ROUTES if there == path}
    for wrong in sorted(wrongs):
        response = server.http.request(wrong, path)
        error = ErrorBody.model_validate_json(response.content).error
        assert error.code == "method_not_allowed"
        assert response.status_code == ERRORS["method_not_allowed"].status
        assert method in response.headers["allow"]


def test_get_of_a_task(server: Front) -> None:
    response = server.http.get("/v1/tasks/classify")
    assert ErrorBody.model_validate_json(response.content).error.code == "method_not_allowed"
    assert response.headers["allow"] == "POST"


def test_head_has_no_body(server: Front) -> None:
    response = server.http.head("/v1/tasks")
    assert response.status_code == httpx.codes.OK
    assert response.content == b""


@pytest.mark.parametrize(
    "path",
    ["/v1", "/v1/tasks/", "/v1/tasks/translate", "/v1//tasks", "/%00", "/%ff", "/v1/%2e%2e/x"],
)
def test_nothing_there(server: Front, path: str) -> None:
    response = server.http.get(path)
    error = ErrorBody.model_validate_json(response.content).error
    assert (error.code, response.status_code) == ("not_found", ERRORS["not_found"].status)
    assert error.request_id == response.headers["x-request-id"]


def test_description(server: Front) -> None:
    document = server.http.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    described = {
        (method.upper(), path) for path, methods in document["paths"].items() for method in methods
    }
    assert described == {
        (method, path.replace(":path}", "}"))
        for method, path in ROUTES
        if method != "HEAD" and path not in ("/", "/console", "/docs")
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert (operation.get("security") == []) == (path in PUBLIC_PATHS)
            assert str(ERRORS["internal_error"].status) in operation["responses"]
    chat = document["paths"]["/v1/tasks/chat"]["post"]
    assert "text/event-stream" in chat["responses"]["200"]["content"]
    embed = document["paths"]["/v1/tasks/embed"]["post"]
    assert "text/event-stream" not in embed["responses"]["200"]["content"]
    (worker,) = document["paths"]["/v1/workers/{name}"]["delete"]["parameters"]
    assert (worker["name"], worker["in"], worker["required"]) == ("name", "path", True)
    names = [
        operation["operationId"]
        for ways in document["paths"].values()
        for operation in ways.values()
    ]
    assert len(names) == len(set(names))


def test_description_has_no_loose_ends(server: Front) -> None:
    document = server.http.get("/openapi.json").json()
    known = {
        f"#/components/{kind}/{name}"
        for kind in ("schemas", "headers", "examples")
        for name in document["components"][kind]
    }
    found = set(references(document))
    assert found
    assert found <= known


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if "$ref" in node:
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def test_models_of_the_fake_backend(server: Front) -> None:
    """The defaults, though nothing lies on the disk: clients look before they ask."""
    listed = ModelList.model_validate_json(server.http.get("/v1/models").content).data
    assert [(model.kind, model.default_for) for model in listed] == [
        ("encoder", ["classify", "summarize", "embed"]),
        ("decoder", ["chat"]),
    ]
    one = server.http.get(f"/v1/models/{listed[0].id}")
    assert ModelInfo.model_validate_json(one.content) == listed[0]
    missing = server.http.get("/v1/models/no/such")
    assert ErrorBody.model_validate_json(missing.content).error.code == "model_not_found"


def test_log_has_no_secrets(server: Front, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, "llmaas"):
        refused = server.http.post(
            "/v1/tasks/embed?token=sesame", json={"text": "my private text", "oops": 1}
        )
        missing = server.http.get("/two%0Alines/private")
        first, second = (
            logged(caplog, response.headers["x-request-id"]) for response in (refused, missing)
        )
    assert "POST /v1/tasks/embed 422" in first
    assert "GET - 404" in second
    everything = json.dumps([record.getMessage() for record in caplog.records])
    for secret in (server.key, "sesame", "private"):
        assert secret not in everything


def logged(caplog: pytest.LogCaptureFixture, request_id: str) -> str:
    """The request's line of the access log; the server's thread writes it after the answer."""
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for record in list(caplog.records):
            if record.name == "llmaas.access" and request_id in record.getMessage():
                return record.getMessage()
        time.sleep(0.001)
    raise AssertionError(f"no line of the access log has {request_id}")
