"""What manages, against a mocked network: what is sent, with which key, and what is made of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx
import pytest
import respx

from llmaas_client import AsyncClient, Budget, Client, Limits, errors
from support import answers
from support.clients import StillClock

HERE = "http://127.0.0.1:8000"
NOW = "2026-01-31T12:00:00Z"
ACCOUNT: dict[str, Any] = {
    "id": "acc_1",
    "name": "acme",
    "status": "active",
    "role": "owner",
    "limits": {},
    "created_at": NOW,
}
APPLICATION: dict[str, Any] = {
    "id": "app_1",
    "account_id": "acc_1",
    "name": "reports",
    "status": "active",
    "tasks": None,
    "models": None,
    "limits": {},
    "retention": False,
    "created_at": NOW,
}
KEY: dict[str, Any] = {
    "id": "key_1",
    "name": "ci",
    "kind": "inference",
    "status": "active",
    "account_id": "acc_1",
    "limits": {},
    "created_at": NOW,
}
CREATED = KEY | {"secret": "llmaas_sk_s3cret"}
INVITATION: dict[str, Any] = {"id": "inv_1", "created_at": NOW, "expires_at": NOW}
PRICE: dict[str, Any] = {
    "id": 1,
    "model": None,
    "task": None,
    "prompt": "0.1",
    "cached": "0.1",
    "completion": "0",
    "cpu_second": "0",
    "gpu_second": "0",
    "most_seconds": "0",
    "valid_from": NOW,
    "created_at": NOW,
}
SUMS = {
    "calls": 2,
    "prompt_tokens": 5,
    "cached_tokens": 0,
    "completion_tokens": 1,
    "cpu_us": 0,
    "gpu_us": 0,
    "cost": "0.5",
}
USAGE: dict[str, Any] = {
    "by": ["day", "model"],
    "groups": [SUMS | {"day": "2026-01-31", "model": "=tiny"}],
    "total": SUMS,
}


@pytest.fixture
def client() -> Iterator[Client]:
    with Client(HERE, "s3cret", management_key="m4naging", clock=StillClock()) as client:
        yield client


CALLS: list[tuple[Callable[[Any], Any], str, str, Any, Any]] = [
    (lambda c: c.account.show(), "GET", "/v1/accounts/me", None, ACCOUNT),
    (lambda c: c.account.rename("b"), "PATCH", "/v1/accounts/me", {"name": "b"}, ACCOUNT),
    (lambda c: c.accounts.list(), "GET", "/v1/accounts", None, {"accounts": [ACCOUNT]}),
    (
        lambda c: c.accounts.list(after="acc_0", limit=5),
        "GET",
        "/v1/accounts?after=acc_0&limit=5",
        None,
        {"accounts": [ACCOUNT]},
    ),
    (
        lambda c: c.accounts.create("acme", email="a@b.example", password="correct horse"),
        "POST",
        "/v1/accounts",
        {"name": "acme", "email": "a@b.example", "password": "correct horse"},
        ACCOUNT,
    ),
    (lambda c: c.accounts.show("acc_1"), "GET", "/v1/accounts/acc_1", None, ACCOUNT),
    (
        lambda c: c.accounts.update("acc_1", limits=Limits(concurrency=2), budget=None),
        "PATCH",
        "/v1/accounts/acc_1",
        {"limits": {"concurrency": 2}, "budget": None},
        ACCOUNT,
    ),
    (
        lambda c: c.accounts.suspend("acc_1"),
        "PATCH",
        "/v1/accounts/acc_1",
        {"status": "suspended"},
        ACCOUNT,
    ),
    (
        lambda c: c.accounts.resume("acc_1"),
        "PATCH",
        "/v1/accounts/acc_1",
        {"status": "active"},
        ACCOUNT,
    ),
    (lambda c: c.accounts.erase("acc_1"), "DELETE", "/v1/accounts/acc_1", None, {"id": "acc_1"}),
    (
        lambda c: c.accounts.invitations.create(days=3),
        "POST",
        "/v1/invitations",
        {"days": 3},
        INVITATION | {"token": "t0ken"},
    ),
    (
        lambda c: c.accounts.invitations.list(),
        "GET",
        "/v1/invitations",
        None,
        {"invitations": [INVITATION]},
    ),
    (
        lambda c: c.accounts.invitations.revoke("inv_1"),
        "DELETE",
        "/v1/invitations/inv_1",
        None,
        INVITATION,
    ),
    (
        lambda c: c.account.applications.create("reports", tasks=("chat",), retention=True),
        "POST",
        "/v1/applications",
        {"name": "reports", "tasks": ["chat"], "retention": True},
        APPLICATION,
    ),
    (
        lambda c: c.account.applications.list(account_id="acc_2"),
        "GET",
        "/v1/applications?account_id=acc_2",
        None,
        {"applications": [APPLICATION]},
    ),
    (
        lambda c: c.account.applications.show("app_1"),
        "GET",
        "/v1/applications/app_1",
        None,
        APPLICATION,
    ),
    (
        lambda c: c.account.applications.update("app_1", models=None, retention=False),
        "PATCH",
        "/v1/applications/app_1",
        {"models": None, "retention": False},
        APPLICATION,
    ),
    (
        lambda c: c.account.applications.delete("app_1"),
        "DELETE",
        "/v1/applications/app_1",
        None,
        APPLICATION,
    ),
    (
        lambda c: c.account.keys.create(
            "ci",
            application_id="app_1",
            tasks=["chat"],
            budget=Budget(period="day", amount="1.5"),
            expires_at=datetime(2030, 1, 31, tzinfo=UTC),
        ),
        "POST",
        "/v1/keys",
        {
            "name": "ci",
            "kind": "inference",
            "application_id": "app_1",
            "tasks": ["chat"],
            "budget": {"period": "day", "amount": "1.5"},
            "expires_at": "2030-01-31T00:00:00Z",
        },
        CREATED,
    ),
    (
        lambda c: c.account.keys.create("ops", kind="management", actions=["keys:read"]),
        "POST",
        "/v1/keys",
        {"name": "ops", "kind": "management", "actions": ["keys:read"]},
        CREATED,
    ),
    (
        lambda c: c.account.keys.list(application_id="app_1"),
        "GET",
        "/v1/keys?application_id=app_1",
        None,
        {"keys": [KEY]},
    ),
    (lambda c: c.account.keys.show("key_1"), "GET", "/v1/keys/key_1", None, KEY),
    (
        lambda c: c.account.keys.update("key_1", tasks=[], limits=None),
        "PATCH",
        "/v1/keys/key_1",
        {"tasks": [], "limits": None},
        KEY,
    ),
    (lambda c: c.account.keys.rotate("key_1"), "POST", "/v1/keys/key_1/rotate", {}, CREATED),
    (
        lambda c: c.account.keys.rotate("key_1", grace_seconds=0),
        "POST",
        "/v1/keys/key_1/rotate",
        {"grace_seconds": 0},
        CREATED,
    ),
    (lambda c: c.account.keys.revoke("key_1"), "DELETE", "/v1/keys/key_1", None, KEY),
    (lambda c: c.prices.list(), "GET", "/v1/prices", None, {"prices": [PRICE]}),
    (
        lambda c: c.prices.set(model="tiny", prompt=Decimal("1E-1"), completion=2, cached="0"),
        "POST",
        "/v1/prices",
        {"model": "tiny", "prompt": "0.1", "completion": "2", "cached": "0"},
        PRICE,
    ),
    (lambda c: c.usage(), "GET", "/v1/usage", None, USAGE),
    (
        lambda c: c.usage(by=["day", "model"], since=date(2026, 1, 1), until="2026-02-01"),
        "GET",
        "/v1/usage?by=day%2Cmodel&since=2026-01-01&until=2026-02-01",
        None,
        USAGE,
    ),
]


@pytest.mark.parametrize(("call", "method", "path", "body", "answer"), CALLS)
@respx.mock
def test_each_call(
    client: Client, call: Callable[[Any], Any], method: str, path: str, body: Any, answer: Any
) -> None:
    route = respx.route().respond(json=answer)
    assert call(client) is not None
    request = route.calls.last.request
    assert (request.method, str(request.url)) == (method, f"{HERE}{path}")
    assert (json.loads(request.content) if request.content else None) == body
    assert request.headers["authorization"] == "Bearer m4naging"


@pytest.mark.parametrize(("call", "answer"), [(call, answer) for call, *_, answer in CALLS])
@respx.mock
async def test_each_call_awaited(call: Callable[[Any], Any], answer: Any) -> None:
    respx.route().respond(json=answer)
    with Client(HERE, management_key="m4naging") as client:
        expected = call(client)
    async with AsyncClient(HERE, management_key="m4naging") as awaited:
        assert await call(awaited) == expected


@respx.mock
def test_tasks_and_management_have_keys_of_their_own(client: Client) -> None:
    chat = respx.post(f"{HERE}/v1/tasks/chat").respond(json=answers.chat())
    client.chat("Hello")
    assert chat.calls.last.request.headers["authorization"] == "Bearer s3cret"


@respx.mock
def test_those_who_have_no_key_send_none(client: Client) -> None:
    key = CREATED | {"kind": "management"}
    sign_in = respx.post(f"{HERE}/v1/sign-in").respond(json={"account": ACCOUNT, "key": key})
    register = respx.post(f"{HERE}/v1/register").respond(json={"status": "accepted", "hint": ""})
    assert client.account.sign_in("a@b.example", "correct horse").key.secret == CREATED["secret"]
    assert client.account.register("a@b.example", "correct horse").status == "accepted"
    for route in (sign_in, register):
        assert "authorization" not in route.calls.last.request.headers
    sent = json.loads(register.calls.last.request.content)
    assert sent == {"email": "a@b.example", "password": "correct horse"}


@respx.mock
def test_a_secret_is_shown_where_it_is_asked_for_and_nowhere_else(client: Client) -> None:
    respx.post(f"{HERE}/v1/keys").respond(json=CREATED)
    key = client.account.keys.create("ci")
    assert key.secret == "llmaas_sk_s3cret"
    assert "s3cret" not in f"{key!r} {key} {client!r}"


@respx.mock
def test_an_id_leads_nowhere_else(client: Client) -> None:
    route = respx.route().respond(json=KEY)
    client.account.keys.show("../accounts?x=1")
    assert route.calls.last.request.url.raw_path == b"/v1/keys/..%2Faccounts%3Fx%3D1"


WRONG: list[Callable[[Client], Any]] = [
    lambda c: c.account.keys.create(""),
    lambda c: c.account.keys.create("ci", tasks="chat"),
    lambda c: c.account.keys.create("ci", kind="admin"),  # type: ignore[arg-type]
    lambda c: c.account.keys.create("ci", expires_at=datetime(2030, 1, 31)),
    lambda c: c.account.keys.rotate("key_1", grace_seconds=-1),
    lambda c: c.accounts.create("acme", email="nobody", password="correct horse"),
    lambda c: c.accounts.create("acme", email="a@b.example", password="short"),
    lambda c: c.prices.set(prompt=0.1),  # type: ignore[arg-type]
    lambda c: c.prices.set(prompt="-1"),
]


@pytest.mark.parametrize("call", WRONG)
@respx.mock
def test_what_is_wrong_is_told_before_anything_is_sent(
    client: Client, call: Callable[[Client], Any]
) -> None:
    with pytest.raises(errors.InvalidRequest):
        call(client)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("not_allowed", errors.NotAllowed),
        ("not_found", errors.NotFound),
        ("conflict", errors.Conflict),
        ("invalid_key", errors.InvalidKey),
        ("storage_unavailable", errors.StorageUnavailable),
    ],
)
@respx.mock
def test_errors_of_the_server(client: Client, code: Any, error: type[Exception]) -> None:
    body = answers.error(code)
    status = 400 if code == "conflict" else 500
    respx.route().mock(return_value=httpx.Response(status, json=body))
    with pytest.raises(error):
        client.account.keys.revoke("key_1")


@respx.mock
def test_usage_as_csv(client: Client) -> None:
    respx.get(url__startswith=f"{HERE}/v1/usage").respond(json=USAGE)
    lines = client.usage(by=["day", "model"]).to_csv().splitlines()
    assert lines == [
        "day,model,calls,prompt_tokens,cached_tokens,completion_tokens,cpu_us,gpu_us,cost",
        "2026-01-31,'=tiny,2,5,0,1,0,0,0.5",
    ]
