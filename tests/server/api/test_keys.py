"""Keys over HTTP: made, shown once, changed, rotated, revoked, and what each of them may do."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorDetail
from llmaas_client.wire.keys import CreatedKey, Key, KeyList
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.settings import Settings
from support.front import PATIENCE, Front, client, eventually, front
from support.pacing import Turnstile

CHAT = {"messages": [{"role": "user", "content": "one two three"}]}


def make(server: Front, **fields: Any) -> CreatedKey:
    response = server.manage.post("/v1/keys", json={"name": "k", **fields})
    assert response.is_success, response.text
    return CreatedKey.model_validate_json(response.content)


def error_of(response: httpx.Response) -> ErrorDetail:
    error = ErrorBody.model_validate_json(response.content).error
    assert response.status_code == ERRORS[error.code].status
    return error


def use(server: Front, key: CreatedKey | str, task: str = "chat", **body: Any) -> httpx.Response:
    text = key if isinstance(key, str) else key.secret
    request = CHAT if task == "chat" else {"text": "a"}
    return server.http.post(
        f"/v1/tasks/{task}",
        json=request | body,
        headers={"authorization": f"Bearer {text}"},
    )


def test_a_key_is_shown_once(server: Front) -> None:
    key = make(server, name="once")
    assert use(server, key).is_success
    assert key.secret not in repr(key)
    shown = server.manage.get(f"/v1/keys/{key.id}")
    listed = server.manage.get("/v1/keys")
    changed = server.manage.patch(f"/v1/keys/{key.id}", json={"name": "other"})
    for response in (shown, listed, changed):
        assert response.is_success
        assert "secret" not in response.json()
        assert key.secret not in response.text
    assert Key.model_validate_json(changed.content).name == "other"
    assert key.id in {one.id for one in KeyList.model_validate_json(listed.content).keys}


def test_the_database_has_no_key(server: Front) -> None:
    key = make(server)
    home = server.services._home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert files
    assert not [path for path in files if key.secret[24:].encode() in path.read_bytes()]
    found = [path for path in files if key.id.encode() in path.read_bytes()]
    assert found  # so the search finds what is there


def test_scopes_of_tasks(server: Front) -> None:
    key = make(server, tasks=["embed"])
    assert use(server, key, "embed").is_success
    error = error_of(use(server, key, "chat"))
    assert error.code == "not_allowed"
    assert "it is for: embed" in error.message
    predict = server.http.post(
        "/predict", json={"text": "a"}, headers={"authorization": f"Bearer {key.secret}"}
    )
    assert error_of(predict).code == "not_allowed"


def test_scopes_of_models(server: Front) -> None:
    chat, embed = "smollm2-135m-instruct-q4_1", "all-minilm-l6-v2"
    key = make(server, models=[chat])
    assert use(server, key).is_success
    assert use(server, key, model=chat).is_success
    for body in ({}, {"model": embed}):
        error = error_of(use(server, key, "embed", **body))
        assert (error.code, error.param) == ("not_allowed", "model")
    assert error_of(use(server, key, model="nothing")).code == "model_not_found"


def test_scopes_of_the_application_bound_its_keys(server: Front) -> None:
    made = server.manage.post("/v1/applications", json={"name": "narrow", "tasks": ["embed"]})
    address = f"/v1/applications/{made.json()['id']}"
    try:
        key = make(server, application_id=made.json()["id"])
        assert use(server, key, "embed").is_success
        assert error_of(use(server, key, "chat")).code == "not_allowed"
    finally:
        server.manage.delete(address).raise_for_status()


def test_empty_scopes_are_nothing(server: Front) -> None:
    key = make(server, tasks=[], models=[])
    assert error_of(use(server, key)).code == "not_allowed"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "invalid_request", "name"),
        ({"name": " "}, "invalid_request", "name"),
        ({"name": "two\nlines"}, "invalid_request", "name"),
        ({"name": "k", "colour": "red"}, "unknown_field", "colour"),
        ({"name": "k", "kind": "both"}, "invalid_request", "kind"),
        ({"name": "k", "tasks": ["eat"]}, "invalid_request", "tasks"),
        ({"name": "k", "actions": ["keys:read"]}, "invalid_request", "actions"),
        ({"name": "k", "kind": "management"}, "invalid_request", "actions"),
        ({"name": "k", "kind": "management", "actions": ["eat"]}, "invalid_request", "actions"),
        (
            {"name": "k", "kind": "management", "actions": ["*"], "tasks": ["chat"]},
            "invalid_request",
            "tasks",
        ),
        ({"name": "k", "expires_at": "2020-01-01T00:00:00Z"}, "invalid_request", "expires_at"),
        ({"name": "k", "expires_at": "2099-01-01T00:00:00"}, "invalid_request", "expires_at"),
        ({"name": "k", "limits": {"concurrency": 0}}, "invalid_request", "limits.concurrency"),
        (
            {"name": "k", "budget": {"period": "day", "amount": "-1"}},
            "invalid_request",
            "budget.amount",
        ),
        ({"name": "k", "application_id": "app_000000000000"}, "not_found", None),
        ({"name": "k", "account_id": "acc_000000000000"}, "not_found", None),
    ],
)
def test_wrong_requests_make_nothing(
    server: Front, body: dict[str, Any], code: str, param: str | None
) -> None:
    before = server.manage.get("/v1/keys").content
    error = error_of(server.manage.post("/v1/keys", json=body))
    assert (error.code, error.param) == (code, param)
    assert server.manage.get("/v1/keys").content == before


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?colour=red", "unknown_field"),
        ("?account_id=a&account_id=b", "invalid_request"),
        ("?account_id=acc_000000000000", "not_found"),
        ("?application_id=app_000000000000", "not_found"),
    ],
)
def test_wrong_queries(server: Front, query: str, code: str) -> None:
    assert error_of(server.manage.get(f"/v1/keys{query}")).code == code


def test_limits_and_budget(server: Front) -> None:
    key = make(server, limits={"concurrency": 2}, budget={"period": "day", "amount": "1.50"})
    assert key.limits.concurrency == 2
    assert key.budget is not None
    assert (key.budget.amount, key.budget.left, key.budget.spent) == ("1.5", "1.5", "0")
    address = f"/v1/keys/{key.id}"
    changed = server.manage.patch(address, json={"limits": {"requests_per_minute": 5}})
    fresh = Key.model_validate_json(changed.content)
    assert (fresh.limits.concurrency, fresh.limits.requests_per_minute) == (None, 5)
    assert fresh.budget == key.budget
    gone = server.manage.patch(address, json={"budget": None, "limits": None})
    fresh = Key.model_validate_json(gone.content)
    assert fresh.budget is None
    assert fresh.limits.requests_per_minute is None


def test_rotation_with_overlap(server: Front) -> None:
    old = make(server, tasks=["chat"], budget={"period": "total", "amount": "3"})
    rotated = server.manage.post(f"/v1/keys/{old.id}/rotate", json={"grace_seconds": 3600})
    new = CreatedKey.model_validate_json(rotated.content)
    assert new.replaces == old.id
    assert (new.tasks, new.name, new.application_id) == (old.tasks, old.name, old.application_id)
    assert new.budget is not None
    assert new.budget.amount == "3"
    assert use(server, old).is_success
    assert use(server, new).is_success
    ends = Key.model_validate_json(server.manage.get(f"/v1/keys/{old.id}").content).expires_at
    assert ends is not None
    assert 3590 < (ends - new.created_at).total_seconds() <= 3600
    at_once = server.manage.post(f"/v1/keys/{new.id}/rotate", json={"grace_seconds": 0})
    assert error_of(use(server, new)).code == "invalid_key"
    assert use(server, at_once.json()["secret"]).is_success
    again = server.manage.post(f"/v1/keys/{new.id}/rotate", json={})
    assert error_of(again).code == "conflict"


def test_revoked_key(server: Front) -> None:
    key = make(server)
    assert use(server, key).is_success
    for _ in range(2):
        revoked = server.manage.delete(f"/v1/keys/{key.id}")
        assert Key.model_validate_json(revoked.content).status == "revoked"
    error = error_of(use(server, key))
    assert error.code == "invalid_key"
    assert key.id in error.message
    assert (
        error_of(server.manage.patch(f"/v1/keys/{key.id}", json={"name": "x"})).code == "conflict"
    )


@pytest.fixture
def managing(server: Front) -> Iterator[Callable[..., httpx.Client]]:
    """Clients with management keys for some actions."""
    clients: list[httpx.Client] = []

    def with_actions(*actions: str) -> httpx.Client:
        key = make(server, kind="management", actions=list(actions))
        clients.append(client(server.url, key.secret))
        return clients[-1]

    yield with_actions
    for one in clients:
        one.close()


def test_nobody_gives_what_they_have_not(
    server: Front, managing: Callable[..., httpx.Client]
) -> None:
    """A key that makes keys makes none that may more than itself, by no way."""
    few = managing("keys:write", "keys:read")
    strong = make(server, kind="management", actions=["*"])
    asked = {"name": "k", "kind": "management"}
    more = few.post("/v1/keys", json=asked | {"actions": ["prices:write"]})
    assert error_of(more).code == "not_allowed"
    own = few.post("/v1/keys", json=asked | {"actions": ["*"]})
    assert CreatedKey.model_validate_json(own.content).actions == ["keys:read", "keys:write"]
    assert error_of(few.post(f"/v1/keys/{strong.id}/rotate", json={})).code == "not_allowed"
    grown = few.patch(
        f"/v1/keys/{own.json()['id']}", json={"actions": ["keys:read", "prices:write"]}
    )
    assert error_of(grown).code == "not_allowed"


def test_each_action_is_needed(managing: Callable[..., httpx.Client]) -> None:
    few = managing("applications:read")
    assert few.get("/v1/applications").is_success
    for method, path in [
        ("POST", "/v1/applications"),
        ("GET", "/v1/keys"),
        ("GET", "/v1/accounts"),
        ("GET", "/v1/workers"),
    ]:
        assert error_of(few.request(method, path)).code == "not_allowed"


class Stream:
    """A chat that is being streamed, in a thread."""

    def __init__(self, server: Front, key: str) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self.ended_at = 0.0
        self._server, self._key = server, key
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        with (
            client(self._server.url, self._key) as http,
            http.stream("POST", "/v1/tasks/chat", json=CHAT | {"stream": True}) as response,
        ):
            name = ""
            for line in response.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    self.events.append((name, json.loads(line.removeprefix("data: "))))
        self.ended_at = time.monotonic()

    def join(self) -> None:
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive(), "the stream does not end"


@pytest.mark.parametrize("how", ["revoke", "suspend", "close", "expire"])
def test_an_open_stream_ends_with_its_key(tmp_path: Path, how: str) -> None:
    turnstile = Turnstile()
    backend = FakeBackend(pace=turnstile)
    settings = Settings(home=tmp_path, cache=tmp_path, backend="fake")
    with front(settings, backend) as server:
        account = server.manage.post("/v1/accounts", json={"name": "a"}).json()["id"]
        key = make(server, account_id=account)
        stream = Stream(server, key.secret)
        eventually(lambda: turnstile.reached, "the stream begins")
        turnstile.let(1)
        eventually(lambda: len(stream.events) == 2, "a piece comes")
        if how == "revoke":
            changed = server.manage.delete(f"/v1/keys/{key.id}")
        elif how == "suspend":
            changed = server.manage.patch(f"/v1/accounts/{account}", json={"status": "suspended"})
        elif how == "close":
            changed = server.manage.delete(f"/v1/applications/{key.application_id}")
        else:
            changed = server.manage.post(f"/v1/keys/{key.id}/rotate", json={"grace_seconds": 0})
        answered_at = time.monotonic()
        assert changed.is_success, changed.text
        stream.join()
        # Over two sockets and three threads; that no time passes inside is held in test_keyring.
        assert stream.ended_at - answered_at < 0.5
        assert [name for name, _ in stream.events] == ["start", "delta", "error"]
        error = stream.events[-1][1]["error"]
        assert (error["code"], error["type"]) == ("invalid_key", "authentication")
        assert len(backend.cancelled) == 1
        eventually(lambda: backend.status().running == 0, "the work ends")


def test_a_waiting_answer_ends_with_its_key(tmp_path: Path) -> None:
    """No byte was sent: then there is a status."""
    turnstile = Turnstile()
    settings = Settings(home=tmp_path, cache=tmp_path, backend="fake")
    with front(settings, FakeBackend(pace=turnstile)) as server:
        key = make(server)
        answers: list[httpx.Response] = []
        caller = threading.Thread(target=lambda: answers.append(_chat(server, key.secret)))
        caller.start()
        eventually(lambda: turnstile.reached, "the call runs")
        server.manage.delete(f"/v1/keys/{key.id}")
        caller.join(PATIENCE)
        assert error_of(answers[0]).code == "invalid_key"


def _chat(server: Front, key: str) -> httpx.Response:
    with client(server.url, key) as http:
        return http.post("/v1/tasks/chat", json=CHAT)
