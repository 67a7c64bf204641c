"""`/v1/audit`, `/v1/records` and the data of a person, over HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from support.front import Front, client, eventually

CHAT = {"messages": [{"role": "user", "content": "three little words"}]}


@dataclass
class Tenant:
    """An account of its own, with a management key and an application that keeps its calls."""

    id: str
    application_id: str
    key_id: str
    manage: httpx.Client
    http: httpx.Client

    def records(self, **query: str) -> list[dict[str, Any]]:
        listed = self.manage.get("/v1/records", params=query)
        assert listed.status_code == 200, listed.text
        found: list[dict[str, Any]] = listed.json()["records"]
        return found


def created(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture
def tenant(server: Front) -> Iterator[Tenant]:
    account = created(server.manage.post("/v1/accounts", json={"name": "Tenant"}))["id"]
    managing = {"name": "all", "kind": "management", "account_id": account, "actions": ["*"]}
    with client(server.url, created(server.manage.post("/v1/keys", json=managing))["secret"]) as m:
        application = created(
            m.post("/v1/applications", json={"name": "keeps", "retention": True})
        )["id"]
        key = created(m.post("/v1/keys", json={"name": "k", "application_id": application}))
        with client(server.url, key["secret"]) as http:
            yield Tenant(account, application, key["id"], m, http)


def actions(answer: httpx.Response) -> list[str]:
    return [entry["action"] for entry in created(answer)["entries"]]


def test_an_account_sees_its_own_trail(tenant: Tenant) -> None:
    listed = created(tenant.manage.get("/v1/audit"))["entries"]
    assert {entry["account_id"] for entry in listed} == {tenant.id}
    assert {"accounts.create", "applications.create", "keys.create"} <= {
        entry["action"] for entry in listed
    }


def test_the_operator_sees_every_trail(server: Front, tenant: Tenant) -> None:
    everything = created(server.manage.get("/v1/audit", params={"limit": "1000"}))["entries"]
    assert [entry["seq"] for entry in everything] == list(range(1, len(everything) + 1))
    assert len({entry["account_id"] for entry in everything}) > 1
    own = created(tenant.manage.get("/v1/audit"))["entries"]
    query = {"account_id": tenant.id}
    assert created(server.manage.get("/v1/audit", params=query))["entries"] == own


def test_the_trail_comes_in_pages(tenant: Tenant) -> None:
    whole = created(tenant.manage.get("/v1/audit"))["entries"]
    pages, after = [], "0"
    while after:
        page = created(tenant.manage.get("/v1/audit", params={"after": after, "limit": "2"}))
        pages += page["entries"]
        after = page["next"]
    assert pages == whole


@pytest.mark.parametrize(
    "query",
    ["after=-1", "after=x", "limit=0", "limit=1001", "limit=", "other=1", "limit=1&limit=2"],
)
def test_wrong_pages(tenant: Tenant, query: str) -> None:
    answer = tenant.manage.get(f"/v1/audit?{query}")
    assert answer.json()["error"]["code"] in ("invalid_request", "unknown_field")


def test_another_account_is_not_found(server: Front, tenant: Tenant) -> None:
    operator = created(server.manage.get("/v1/accounts/me"))["id"]
    for path in ("/v1/audit", "/v1/records"):
        for name in (operator, "acc_nobody"):
            answer = tenant.manage.get(path, params={"account_id": name})
            assert answer.json()["error"]["code"] == "not_found"


def test_a_refused_access_is_in_the_trail(tenant: Tenant) -> None:
    assert tenant.http.get("/v1/audit").json()["error"]["code"] == "not_allowed"

    def told() -> bool:
        entries = created(tenant.manage.get("/v1/audit"))["entries"]
        return any(
            (entry["outcome"], entry["target"], entry["actor"])
            == ("refused", "GET /v1/audit", tenant.key_id)
            for entry in entries
        )

    eventually(told, "the refusal is in the trail")


def test_verification(server: Front, tenant: Tenant) -> None:
    report = created(server.manage.get("/v1/audit/verification"))
    assert (report["whole"], report["flaws"]) == (True, [])
    assert report["rows"] >= 4
    refused = tenant.manage.get("/v1/audit/verification")
    assert refused.json()["error"]["code"] == "not_allowed"


def test_records(tenant: Tenant) -> None:
    for _ in range(3):
        created(tenant.http.post("/v1/tasks/chat", json=CHAT))
    first, *rest = tenant.records()
    assert (first["application_id"], first["key_id"]) == (tenant.application_id, tenant.key_id)
    shown = created(tenant.manage.get(f"/v1/records/{first['id']}"))
    assert shown["request"]["messages"][0]["content"] == "three little words"
    assert shown["answer"]["message"]["role"] == "assistant"
    assert created(tenant.manage.delete(f"/v1/records/{first['id']}")) == {"removed": 1}
    assert tenant.records() == rest
    gone = tenant.manage.get(f"/v1/records/{first['id']}")
    assert gone.json()["error"]["code"] == "not_found"
    assert tenant.records(application_id="app_other") == []
    deleted = tenant.manage.delete(f"/v1/records?application_id={tenant.application_id}")
    assert created(deleted) == {"removed": 2}
    assert tenant.records() == []
    assert actions(tenant.manage.get("/v1/audit")).count("records.delete") == 2


def test_records_are_of_their_account(server: Front, tenant: Tenant) -> None:
    created(tenant.http.post("/v1/tasks/chat", json=CHAT))
    [record] = tenant.records()
    path = f"/v1/records/{record['id']}"
    assert server.manage.get(path).json()["error"]["code"] == "not_found"
    assert created(server.manage.get(path, params={"account_id": tenant.id}))["id"] == record["id"]


def test_a_call_that_failed_is_not_kept(tenant: Tenant) -> None:
    answer = tenant.http.post("/v1/tasks/chat", json=CHAT | {"model": "nobody"})
    assert answer.is_client_error
    assert tenant.records() == []


def test_export(tenant: Tenant) -> None:
    created(tenant.http.post("/v1/tasks/chat", json=CHAT))
    answer = tenant.manage.get("/v1/accounts/me/export")
    assert 'filename="me.json"' in answer.headers["content-disposition"]
    document = json.loads(answer.text)
    assert document["account"]["id"] == tenant.id
    assert len(document["ledger"]) == len(document["records"]) == 1
    assert document["records"][0]["request"]["messages"][0]["content"] == "three little words"


def test_export_of_nobody_has_a_status(tenant: Tenant) -> None:
    answer = tenant.manage.get("/v1/accounts/acc_nobody/export")
    assert answer.json()["error"]["code"] == "not_found"


def test_erased(server: Front, tenant: Tenant) -> None:
    created(tenant.http.post("/v1/tasks/chat", json=CHAT))
    assert created(tenant.manage.delete("/v1/accounts/me")) == {"id": tenant.id}
    for http in (tenant.http, tenant.manage):
        assert http.get("/v1/models").json()["error"]["code"] == "invalid_key"
    account = created(server.manage.get(f"/v1/accounts/{tenant.id}"))
    assert (account["name"], account["status"]) == ("erased", "closed")
    document = created(server.manage.get(f"/v1/accounts/{tenant.id}/export"))
    assert document["records"] == []
    assert len(document["ledger"]) == 1
    assert created(server.manage.get("/v1/audit/verification"))["whole"]


def test_the_operator_is_not_erased(server: Front) -> None:
    answer = server.manage.delete("/v1/accounts/me")
    assert answer.json()["error"]["code"] == "conflict"
