"""Accounts and applications over HTTP, and the wall between accounts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from llmaas_client.wire.accounts import Account, AccountList
from llmaas_client.wire.applications import Application, ApplicationList
from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorDetail
from llmaas_client.wire.keys import CreatedKey
from support.front import Front, client

NOBODYS = "000000000000"


@dataclass(frozen=True)
class Tenant:
    """An account with all that it can have, and a client that manages it."""

    account: str
    application: str
    key: str
    secret: str
    http: httpx.Client


def post(http: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    response = http.post(path, json=body)
    assert response.is_success, response.text
    made: dict[str, Any] = response.json()
    return made


def error_of(response: httpx.Response) -> ErrorDetail:
    error = ErrorBody.model_validate_json(response.content).error
    assert response.status_code == ERRORS[error.code].status
    return error


def tenant(server: Front, name: str) -> Tenant:
    account = post(server.manage, "/v1/accounts", name=name)["id"]
    managing = post(
        server.manage,
        "/v1/keys",
        name="m",
        kind="management",
        actions=["*"],
        account_id=account,
    )
    http = client(server.url, managing["secret"])
    application = post(http, "/v1/applications", name=f"of {name}", retention=True)["id"]
    key = post(http, "/v1/keys", name=f"of {name}", application_id=application)
    return Tenant(account, application, key["id"], key["secret"], http)


@pytest.fixture(scope="module")
def tenants(server: Front) -> Iterator[tuple[Tenant, Tenant]]:
    first, second = tenant(server, "first"), tenant(server, "second")
    yield first, second
    first.http.close()
    second.http.close()


def test_an_account_begins_with_an_application(server: Front) -> None:
    made = Account.model_validate(post(server.manage, "/v1/accounts", name="new"))
    assert (made.status, made.role) == ("active", "owner")
    listed = server.manage.get("/v1/applications", params={"account_id": made.id})
    (application,) = ApplicationList.model_validate_json(listed.content).applications
    assert (application.account_id, application.retention) == (made.id, False)


def test_me(server: Front, tenants: tuple[Tenant, Tenant]) -> None:
    for one, role in ((server.manage, "operator"), (tenants[0].http, "owner")):
        me = Account.model_validate_json(one.get("/v1/accounts/me").content)
        assert me.role == role
    assert me.id == tenants[0].account


def test_list_is_paged(server: Front, tenants: tuple[Tenant, Tenant]) -> None:
    whole = AccountList.model_validate_json(server.manage.get("/v1/accounts").content)
    assert whole.next is None
    seen: list[str] = []
    after: str | None = ""
    while after is not None:
        response = server.manage.get("/v1/accounts", params={"after": after, "limit": 1})
        page = AccountList.model_validate_json(response.content)
        assert len(page.accounts) == 1
        seen += [account.id for account in page.accounts]
        after = page.next
    assert seen == [account.id for account in whole.accounts]
    assert {tenants[0].account, tenants[1].account} < set(seen)


@pytest.mark.parametrize("limit", ["0", "-1", "1001", "x", "", "1" * 100, "٣"])
def test_wrong_pages(server: Front, limit: str) -> None:
    error = error_of(server.manage.get("/v1/accounts", params={"limit": limit}))
    assert (error.code, error.param) == ("invalid_request", "limit")


def test_change_of_an_account(server: Front) -> None:
    account = post(server.manage, "/v1/accounts", name="before")["id"]
    address = f"/v1/accounts/{account}"
    body = {
        "name": "after",
        "limits": {"concurrency": 1},
        "budget": {"period": "month", "amount": "5"},
    }
    changed = Account.model_validate_json(server.manage.patch(address, json=body).content)
    assert changed.name == "after"
    assert changed.limits.concurrency == 1
    assert changed.budget is not None
    assert changed.budget.ends_at is not None
    assert Account.model_validate_json(server.manage.get(address).content) == changed


def test_an_owner_renames_and_no_more(tenants: tuple[Tenant, Tenant]) -> None:
    http = tenants[0].http
    assert http.patch("/v1/accounts/me", json={"name": "mine"}).json()["name"] == "mine"
    for body in (
        {"status": "active"},
        {"limits": None},
        {"budget": {"period": "day", "amount": "9"}},
    ):
        assert error_of(http.patch("/v1/accounts/me", json=body)).code == "not_allowed"
    assert error_of(http.post("/v1/accounts", json={"name": "another"})).code == "not_allowed"
    for path in ("/v1/invitations", "/v1/workers"):
        assert error_of(http.get(path)).code == "not_allowed"


def test_the_operator_is_not_suspended(server: Front) -> None:
    response = server.manage.patch("/v1/accounts/me", json={"status": "suspended"})
    assert error_of(response).code == "conflict"


def test_a_suspended_account(server: Front) -> None:
    one = tenant(server, "suspended")
    assert one.http.get("/v1/keys").is_success
    address = f"/v1/accounts/{one.account}"
    server.manage.patch(address, json={"status": "suspended"}).raise_for_status()
    assert error_of(one.http.get("/v1/keys")).code == "invalid_key"
    server.manage.patch(address, json={"status": "active"}).raise_for_status()
    assert one.http.get("/v1/keys").is_success
    one.http.close()


def test_two_accounts_for_one_email(server: Front) -> None:
    body = {"name": "a", "email": "Ada@example.org", "password": "a long enough password"}
    made = server.manage.post("/v1/accounts", json=body)
    assert made.is_success
    assert "password" not in made.text
    again = server.manage.post("/v1/accounts", json=body | {"email": "ada@EXAMPLE.org"})
    assert error_of(again).code == "conflict"


def test_change_of_an_application(tenants: tuple[Tenant, Tenant]) -> None:
    http = tenants[0].http
    made = Application.model_validate(post(http, "/v1/applications", name="x", tasks=["chat"]))
    address = f"/v1/applications/{made.id}"
    changed = Application.model_validate_json(
        http.patch(address, json={"tasks": None, "models": ["m"], "retention": True}).content
    )
    assert (changed.tasks, changed.models, changed.retention) == (None, ["m"], True)
    assert changed.name == "x"
    closed = Application.model_validate_json(http.delete(address).content)
    assert closed.status == "closed"
    assert http.delete(address).is_success
    assert error_of(http.patch(address, json={"name": "y"})).code == "conflict"
    late = http.post("/v1/keys", json={"name": "late", "application_id": made.id})
    assert error_of(late).code == "conflict"


def test_closing_an_application_revokes_its_keys(server: Front) -> None:
    one = tenant(server, "closing")
    with client(server.url, one.secret) as http:
        assert http.get("/v1/tasks").is_success
        one.http.delete(f"/v1/applications/{one.application}").raise_for_status()
        assert error_of(http.get("/v1/tasks")).code == "invalid_key"
    assert one.http.get(f"/v1/keys/{one.key}").json()["status"] == "revoked"
    one.http.close()


ADDRESSES = [
    ("GET", "/v1/accounts/{account}", None),
    ("PATCH", "/v1/accounts/{account}", {"name": "taken over"}),
    ("GET", "/v1/applications/{application}", None),
    ("PATCH", "/v1/applications/{application}", {"name": "taken over"}),
    ("DELETE", "/v1/applications/{application}", None),
    ("GET", "/v1/applications?account_id={account}", None),
    ("POST", "/v1/applications", {"name": "inside", "account_id": "{account}"}),
    ("GET", "/v1/keys/{key}", None),
    ("PATCH", "/v1/keys/{key}", {"name": "taken over"}),
    ("DELETE", "/v1/keys/{key}", None),
    ("POST", "/v1/keys/{key}/rotate", {}),
    ("GET", "/v1/keys?account_id={account}", None),
    ("GET", "/v1/keys?application_id={application}", None),
    ("POST", "/v1/keys", {"name": "inside", "account_id": "{account}"}),
    ("POST", "/v1/keys", {"name": "inside", "application_id": "{application}"}),
    (
        "POST",
        "/v1/keys",
        {"name": "inside", "kind": "management", "actions": ["*"], "account_id": "{account}"},
    ),
]


def filled(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, str):
        return value.format(**names)
    if isinstance(value, dict):
        return {key: filled(item, names) for key, item in value.items()}
    return value


@pytest.mark.parametrize(("method", "path", "body"), ADDRESSES)
def test_what_is_anothers_is_not_there(
    server: Front, tenants: tuple[Tenant, Tenant], method: str, path: str, body: Any
) -> None:
    """Word for word the answer for what nobody has; and nothing is changed."""
    first, second = tenants
    theirs = {"account": second.account, "application": second.application, "key": second.key}
    nobodys = {name: f"{id_.partition('_')[0]}_{NOBODYS}" for name, id_ in theirs.items()}

    def all_of_it() -> list[bytes]:
        paths = ("accounts/me", "applications", "keys")
        return [second.http.get(f"/v1/{path}").content for path in paths]

    before = all_of_it()
    answers = []
    for names in (theirs, nobodys):
        response = first.http.request(method, filled(path, names), json=filled(body, names))
        error = error_of(response)
        message = error.message
        for name, id_ in names.items():
            message = message.replace(id_, name)
        answers.append((response.status_code, error.code, message, error.hint, error.param))
    assert answers[0] == answers[1]
    assert answers[0][1] == "not_found"
    assert all_of_it() == before


def test_lists_hold_what_is_ones_own(tenants: tuple[Tenant, Tenant]) -> None:
    first, second = tenants
    for http, own, other in ((first.http, first, second), (second.http, second, first)):
        for path in ("accounts", "applications", "keys"):
            text = http.get(f"/v1/{path}").text
            assert own.account in text
            for id_ in (other.account, other.application, other.key):
                assert id_ not in text


def test_the_operator_reaches_every_account(server: Front, tenants: tuple[Tenant, Tenant]) -> None:
    for one in tenants:
        assert server.manage.get(f"/v1/keys/{one.key}").is_success
        listed = server.manage.get("/v1/keys", params={"account_id": one.account})
        assert one.key in listed.text


def test_keys_of_an_owner_are_never_the_operators(
    server: Front, tenants: tuple[Tenant, Tenant]
) -> None:
    """`*` is all that the account may."""
    made = tenants[0].http.post(
        "/v1/keys", json={"name": "k", "kind": "management", "actions": ["*"]}
    )
    key = CreatedKey.model_validate_json(made.content)
    with client(server.url, key.secret) as http:
        assert http.get("/v1/keys").is_success
        assert error_of(http.get("/v1/workers")).code == "not_allowed"
        listed = AccountList.model_validate_json(http.get("/v1/accounts").content)
        assert [account.id for account in listed.accounts] == [tenants[0].account]


async def test_every_change_is_in_the_trail(server: Front) -> None:
    """With who did it, and whose it is."""
    one = tenant(server, "audited")
    one.http.patch(f"/v1/keys/{one.key}", json={"name": "x"})
    one.http.post(f"/v1/keys/{one.key}/rotate", json={})
    one.http.delete(f"/v1/keys/{one.key}")
    one.http.delete(f"/v1/keys/{one.key}")  # changes nothing
    one.http.patch(f"/v1/applications/{one.application}", json={"name": "x"})
    one.http.delete(f"/v1/applications/{one.application}")
    one.http.patch("/v1/accounts/me", json={"name": "x"})
    one.http.close()
    rows = server.services.database.look(lambda tables: tables.audit.after(0, 10_000, one.account))
    assert [row.action for row in rows] == [
        "accounts.create",
        "applications.create",
        "keys.create",
        "applications.create",
        "keys.create",
        "keys.update",
        "keys.rotate",
        "keys.revoke",
        "applications.update",
        "applications.close",
        "accounts.update",
    ]
    assert all(row.actor_kind == "key" and row.address for row in rows)
    assert {row.outcome for row in rows} == {"done"}


def test_refused_accesses_are_in_the_trail(server: Front) -> None:
    one = tenant(server, "refused")
    one.http.get("/v1/workers")
    one.http.close()
    rows = server.services.database.submit(
        lambda tables: tables.audit.after(0, 10_000, one.account)
    ).result()
    refused = [row for row in rows if row.outcome == "refused"]
    assert [(row.action, row.target) for row in refused] == [("access.refused", "GET /v1/workers")]


def test_a_role_is_given_and_taken_with_all_that_goes_with_it(server: Front) -> None:
    one = tenant(server, "deputy")
    address = f"/v1/accounts/{one.account}"
    with closing(one.http):
        assert one.http.get("/v1/workers").is_client_error
        given = server.manage.patch(address, json={"role": "operator"})
        assert Account.model_validate_json(given.content).role == "operator"
        assert one.http.get("/v1/workers").is_success  # at once, by the key that it had
        assert len(AccountList.model_validate_json(one.http.get("/v1/accounts").content).accounts)
        suspended = error_of(server.manage.patch(address, json={"status": "suspended"}))
        assert suspended.code == "conflict"
        taken = server.manage.patch(address, json={"role": "owner"})
        assert Account.model_validate_json(taken.content).role == "owner"
        assert one.http.get("/v1/workers").is_client_error
    trail = server.manage.get("/v1/audit", params={"account_id": one.account, "limit": 1000}).json()
    told = [row["detail"] for row in trail["entries"] if row["action"] == "accounts.update"]
    assert told == [{"role": "operator"}, {"role": "owner"}]


def test_who_may_not_do_all_gives_no_role(server: Front) -> None:
    one = post(server.manage, "/v1/accounts", name="climber")["id"]
    actions = ["accounts:manage", "accounts:write", "accounts:read"]
    made = post(server.manage, "/v1/keys", name="some", kind="management", actions=actions)
    with client(server.url, made["secret"]) as some:
        refused = error_of(some.patch(f"/v1/accounts/{one}", json={"role": "operator"}))
    assert (refused.code, refused.param) == ("not_allowed", "role")


def test_the_server_keeps_its_operator(server: Front) -> None:
    refused = error_of(server.manage.patch("/v1/accounts/me", json={"role": "owner"}))
    assert (refused.code, refused.param) == ("conflict", "role")
    one = post(server.manage, "/v1/accounts", name="away")["id"]
    server.manage.patch(f"/v1/accounts/{one}", json={"status": "suspended"}).raise_for_status()
    refused = error_of(server.manage.patch(f"/v1/accounts/{one}", json={"role": "operator"}))
    assert refused.code == "conflict"


@pytest.mark.parametrize("role", ["admin", "", 1, ["operator"]])
def test_no_other_roles(server: Front, role: object) -> None:
    refused = error_of(server.manage.patch("/v1/accounts/me", json={"role": role}))
    assert (refused.code, refused.param) == ("invalid_request", "role")
