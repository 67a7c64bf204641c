"""People register by the mode of the server, and sign in; nobody learns who has an account."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire.accounts import CreatedInvitation, SignedIn
from llmaas_client.wire.errors import ERRORS, ErrorBody, ErrorDetail
from llmaas_server.gateway.passwords import Passwords
from llmaas_server.settings import Settings
from support.front import client, eventually, front

PASSWORD = "a long enough password"
ADA = {"email": "ada@example.org", "password": PASSWORD}
BOB = {"email": "bob@example.org", "password": PASSWORD}


@dataclass(frozen=True, slots=True)
class Site:
    """A server, the operator's client and one without a key."""

    url: str
    manage: httpx.Client
    stranger: httpx.Client


Serve = Callable[[str], Site]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """A server in a mode of registration."""
    with ExitStack() as running:

        def start(mode: str) -> Site:
            settings = Settings.model_validate(
                {"home": tmp_path, "cache": tmp_path, "backend": "fake", "registration": mode}
            )
            server = running.enter_context(front(settings))
            stranger = running.enter_context(httpx.Client(base_url=server.url))
            return Site(server.url, server.manage, stranger)

        yield start


def post(server: Site, path: str, body: dict[str, Any]) -> httpx.Response:
    """Without a key."""
    return server.stranger.post(path, json=body)


def error_of(response: httpx.Response) -> ErrorDetail:
    error = ErrorBody.model_validate_json(response.content).error
    assert response.status_code == ERRORS[error.code].status
    return error


def same(error: ErrorDetail) -> dict[str, Any]:
    return error.model_dump(exclude={"request_id"})


def accounts(server: Site) -> int:
    return len(server.manage.get("/v1/accounts").json()["accounts"])


def test_register_and_sign_in(serve: Serve) -> None:
    server = serve("open")
    registered = post(server, "/v1/register", ADA | {"name": "Ada"})
    assert registered.is_success
    signed_in = SignedIn.model_validate_json(post(server, "/v1/sign-in", ADA).content)
    assert signed_in.account.name == "Ada"
    assert signed_in.key.kind == "management"
    assert signed_in.key.expires_at is not None
    hours = (signed_in.key.expires_at - signed_in.key.created_at).total_seconds() / 3600
    assert round(hours, 3) == 12
    with client(server.url, signed_in.key.secret) as http:
        made = http.post("/v1/keys", json={"name": "first"})
        assert made.is_success
        assert http.get("/v1/accounts/me").json()["id"] == signed_in.account.id
        assert error_of(http.get("/v1/workers")).code == "not_allowed"
    with client(server.url, made.json()["secret"]) as http:
        assert http.post("/v1/tasks/embed", json={"text": "a"}).is_success


def test_registering_twice_says_the_same_and_changes_nothing(serve: Serve) -> None:
    server = serve("open")
    first = post(server, "/v1/register", ADA)
    other = {"email": " ADA@example.org".strip(), "password": "another long password"}
    second = post(server, "/v1/register", other)
    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert accounts(server) == 2
    assert post(server, "/v1/sign-in", ADA).is_success
    assert error_of(post(server, "/v1/sign-in", other)).code == "wrong_password"


def test_signing_in_tells_nothing(serve: Serve) -> None:
    """No account, a wrong password, an account without one, and one that is suspended."""
    server = serve("open")
    post(server, "/v1/register", ADA).raise_for_status()
    no_password = {"name": "n", "email": "eve@example.org"}
    server.manage.post("/v1/accounts", json=no_password).raise_for_status()
    suspended = server.manage.post("/v1/accounts", json={"name": "s"} | BOB).json()["id"]
    body = {"status": "suspended"}
    server.manage.patch(f"/v1/accounts/{suspended}", json=body).raise_for_status()
    tries = [
        {"email": "nobody@example.org", "password": PASSWORD},
        ADA | {"password": "wrong"},
        ADA | {"password": ""},
        {"email": "eve@example.org", "password": PASSWORD},
        BOB,
    ]
    errors = [error_of(post(server, "/v1/sign-in", one)) for one in tries]
    assert {error.code for error in errors} == {"wrong_password"}
    assert all(same(error) == same(errors[0]) for error in errors)


def test_failed_tries_are_in_the_trail(serve: Serve) -> None:
    server = serve("invite")
    post(server, "/v1/sign-in", ADA)
    post(server, "/v1/register", ADA)

    def refused() -> list[tuple[str, str]]:
        rows = server.manage.get("/v1/audit").json()["entries"]
        return [(row["action"], row["target"]) for row in rows if row["outcome"] == "refused"]

    eventually(lambda: len(refused()) == 2, "both are written down")
    assert refused() == [("access.refused", "sign-in"), ("access.refused", "register")]


def test_every_try_is_the_same_work(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    server = serve("open")
    checks: list[bool] = []
    check = Passwords.check

    async def counted(self: Passwords, password: str, kept: str | None) -> bool:
        checks.append(kept is None)
        return await check(self, password, kept)

    monkeypatch.setattr(Passwords, "check", counted)
    post(server, "/v1/register", ADA)
    for body in (BOB, ADA | {"password": "wrong"}, ADA):
        post(server, "/v1/sign-in", body)
    assert checks == [True, False, False]


def test_tries_are_bounded(serve: Serve) -> None:
    server = serve("open")
    answers = [post(server, "/v1/sign-in", BOB) for _ in range(15)]
    codes = [error_of(answer).code for answer in answers]
    assert codes[:10] == ["wrong_password"] * 10
    assert set(codes[10:]) == {"rate_limited"}
    assert answers[-1].headers["retry-after"]


def test_an_invitation_is_good_once(serve: Serve) -> None:
    server = serve("invite")
    made = server.manage.post("/v1/invitations", json={"days": 1})
    invitation = CreatedInvitation.model_validate_json(made.content)
    assert invitation.token not in repr(invitation)
    assert invitation.token not in server.manage.get("/v1/invitations").text
    wrong = invitation.token[:-1] + ("a" if invitation.token[-1] != "a" else "b")
    refusals = [
        error_of(post(server, "/v1/register", ADA | extra))
        for extra in ({}, {"invitation": ""}, {"invitation": wrong}, {"invitation": "inv_x.y"})
    ]
    assert post(server, "/v1/register", ADA | {"invitation": invitation.token}).is_success
    refusals.append(error_of(post(server, "/v1/register", BOB | {"invitation": invitation.token})))
    assert {error.code for error in refusals} == {"not_allowed"}
    assert all(same(error) == same(refusals[0]) for error in refusals)
    assert accounts(server) == 2
    (listed,) = server.manage.get("/v1/invitations").json()["invitations"]
    assert listed["used_at"]


def test_an_invitation_that_was_taken_back(serve: Serve) -> None:
    server = serve("invite")
    made = server.manage.post("/v1/invitations", json={}).json()
    assert server.manage.delete(f"/v1/invitations/{made['id']}").is_success
    assert error_of(server.manage.delete(f"/v1/invitations/{made['id']}")).code == "not_found"
    refused = post(server, "/v1/register", ADA | {"invitation": made["token"]})
    assert error_of(refused).code == "not_allowed"


def test_nobody_registers_where_it_is_closed(serve: Serve) -> None:
    server = serve("closed")
    assert error_of(post(server, "/v1/register", ADA)).code == "missing_key"
    assert error_of(server.manage.post("/v1/register", json=ADA)).code == "not_found"
    server.manage.post("/v1/accounts", json={"name": "Ada"} | ADA).raise_for_status()
    assert post(server, "/v1/sign-in", ADA).is_success


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"password": "short"}, "password"),
        ({"password": "x" * 1025}, "password"),
        ({"password": "é" * 600}, "password"),
        ({"email": "nobody"}, "email"),
        ({"email": "a b@example.org"}, "email"),
        ({"email": "a@" + "b" * 300}, "email"),
    ],
)
def test_wrong_registrations(serve: Serve, change: dict[str, str], param: str) -> None:
    server = serve("open")
    response = post(server, "/v1/register", ADA | change)
    error = error_of(response)
    assert (error.code, error.param) == ("invalid_request", param)
    assert change.get("password", "-" * 9) not in response.text


def test_nothing_of_a_person_lies_open(serve: Serve, tmp_path: Path) -> None:
    server = serve("open")
    post(server, "/v1/register", {"email": "grace.hopper@example.org", "password": PASSWORD})
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert files
    for secret in (b"grace.hopper@example.org", PASSWORD.encode()):
        assert not [path for path in files if secret in path.read_bytes()]
