"""What a session may do at the API, and what a cookie alone may not."""

from __future__ import annotations

import pytest

from support.console import Person
from support.front import Front

CHAT = {"messages": [{"role": "user", "content": "hello"}]}


def test_a_session_runs_tasks_and_manages(owner: Person) -> None:
    assert owner.call("POST", "/v1/tasks/chat", CHAT).json()["message"]["content"] == "hello"
    assert owner.call("GET", "/v1/keys").is_success
    made = owner.call("POST", "/v1/applications", {"name": "shop"})
    assert made.json()["name"] == "shop"


def test_its_calls_are_those_of_the_application_console(owner: Person) -> None:
    owner.call("POST", "/v1/tasks/chat", CHAT)
    applications = owner.http.get("/v1/applications").json()["applications"]
    names = {one["id"]: one["name"] for one in applications}
    report = owner.http.get("/v1/usage", params={"by": "application"}).json()
    assert [names[group["application"]] for group in report["groups"]] == ["console"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "https://elsewhere.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site", "origin": "OWN"},
        {"sec-fetch-site": "same-origin"},  # of this server, but without the token of the page
        {"origin": "OWN", "x-csrf-token": "0" * 64},
    ],
)
@pytest.mark.parametrize("path", ["/v1/tasks/chat", "/v1/applications", "/console/sign-out"])
def test_a_cookie_alone_changes_nothing(
    owner: Person, server: Front, headers: dict[str, str], path: str
) -> None:
    sent = {name: value.replace("OWN", server.url) for name, value in headers.items()}
    body = CHAT if "chat" in path else {"name": "x"}
    refused = owner.http.post(path, json=body, headers=sent)
    assert refused.is_client_error
    assert owner.is_in


def test_a_token_of_another_session_is_no_use(owner: Person) -> None:
    with Person(owner.server) as other:
        other.enter()
        stolen = other.csrf
    headers = {"origin": owner.server.url, "x-csrf-token": stolen}
    refused = owner.http.post("/v1/tasks/chat", json=CHAT, headers=headers)
    assert refused.json()["error"]["param"] == "x-csrf-token"


def test_keys_work_as_before_and_need_no_token(owner: Person, server: Front) -> None:
    headers = {"authorization": f"Bearer {server.key}"}
    assert owner.http.post("/v1/tasks/chat", json=CHAT, headers=headers).is_success


def test_a_cookie_that_is_no_session(person: Person) -> None:
    port = person.server.url.rpartition(":")[2]
    for value in ("ses_aaaaaaaaaaaa." + "x" * 43, "nonsense", ""):
        person.http.cookies.set(f"llmaas-{port}", value)
        told = person.http.get("/v1/keys")
        assert told.json()["error"]["code"] == "missing_key"


def test_a_link_needs_a_key_for_all_that_the_owner_may(server: Front) -> None:
    body = {"name": "x", "kind": "management", "actions": ["keys:write"]}
    secret = server.manage.post("/v1/keys", json=body).json()["secret"]
    headers = {"authorization": f"Bearer {secret}"}
    refused = server.manage.post("/v1/sign-in-links", headers=headers)
    assert refused.json()["error"]["code"] == "not_allowed"
