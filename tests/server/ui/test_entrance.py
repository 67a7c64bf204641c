"""Into the console and out of it: links, passwords, cookies."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from support.console import EMAIL, PASSWORD, Person
from support.front import Front


@pytest.fixture
def person(fresh: Front) -> Iterator[Person]:
    with Person(fresh) as person:
        yield person


def test_a_link_signs_in_once(person: Person) -> None:
    link = person.link()
    seen = person.http.get(link)
    assert "Sign in" in seen.text
    assert "set-cookie" not in seen.headers, "looking at a link does not use it up"
    entered = person.enter(link)
    assert entered.headers["location"] == "/console/"
    with Person(person.server) as other:
        again = other.enter(link)
        assert "not good any more" in again.text
        assert "set-cookie" not in again.headers


def test_the_cookie_is_for_this_server_alone(person: Person) -> None:
    cookie = person.enter().headers["set-cookie"]
    port = person.server.url.rpartition(":")[2]
    assert cookie.startswith(f"llmaas-{port}=ses_")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))


def test_who_has_no_password_chooses_one_first(person: Person) -> None:
    person.enter()
    home = person.http.get("/console/")
    assert home.headers["location"] == "/console/password"
    assert person.choose_password().headers["location"] == "/console/"
    assert person.is_in


def test_signing_in_leads_back_to_where_one_wanted(owner: Person) -> None:
    with Person(owner.server) as other:
        asked = other.http.get("/console/?a=b")
        assert asked.headers["location"] == "/console/sign-in?next=%2Fconsole%2F%3Fa%3Db"
        done = other.send("/console/sign-in", email=EMAIL, password=PASSWORD, next="/console/?a=b")
        assert done.headers["location"] == "/console/?a=b"
        assert other.is_in


@pytest.mark.parametrize(
    "onward", ["https://elsewhere.example", "//elsewhere.example", "/console//x", "/console/\\x"]
)
def test_signing_in_never_leads_elsewhere(owner: Person, onward: str) -> None:
    with Person(owner.server) as other:
        done = other.send("/console/sign-in", email=EMAIL, password=PASSWORD, next=onward)
    assert done.headers["location"] == "/console/"


def test_a_wrong_password_and_an_unknown_person_are_told_the_same(owner: Person) -> None:
    with Person(owner.server) as other:
        wrong = other.send("/console/sign-in", email=EMAIL, password="another password")
        nobody = other.send("/console/sign-in", email="no@example.org", password="another password")
        assert wrong.status_code == nobody.status_code
        assert "The e-mail or the password is wrong." in wrong.text
        assert wrong.text.replace(EMAIL, "no@example.org") == nobody.text
        assert not other.is_in


@pytest.mark.parametrize(
    ("new", "again", "told"),
    [
        ("short", "short", "12"),
        (PASSWORD, PASSWORD + "x", "not the same"),
        ("", "", "new_password"),
    ],
)
def test_a_password_that_will_not_do(person: Person, new: str, again: str, told: str) -> None:
    person.enter()
    answer = person.send(
        "/console/password", csrf=person.csrf, email=EMAIL, new_password=new, again=again
    )
    assert answer.is_client_error
    assert told in answer.text
    assert person.http.get("/console/").headers["location"] == "/console/password"


def test_a_new_password_ends_other_sessions_and_keys_of_those_who_signed_in(
    owner: Person, fresh: Front
) -> None:
    body = {"email": EMAIL, "password": PASSWORD}
    key = httpx.post(f"{fresh.url}/v1/sign-in", json=body).json()["key"]["secret"]
    with Person(fresh) as other:
        other.send("/console/sign-in", email=EMAIL, password=PASSWORD)
        assert other.is_in
        owner.choose_password("another long password")
        assert owner.is_in
        assert not other.is_in
    bearer = {"authorization": f"Bearer {key}"}
    assert httpx.get(f"{fresh.url}/v1/keys", headers=bearer).is_client_error


def test_a_link_does_not_replace_a_password_that_there_is(owner: Person) -> None:
    with Person(owner.server) as other:
        other.enter()
        assert other.is_in
        refused = other.choose_password("another long password")
        assert "that is not the password" in refused.text
        told = other.call("POST", "/v1/keys", {"name": "x", "kind": "inference"})
        assert told.json()["error"]["param"] == "password"
        other.send("/console/confirm", csrf=other.csrf, password=PASSWORD)
        body = {"name": "x", "kind": "management", "actions": ["*"]}
        assert other.call("POST", "/v1/keys", body).is_success


def test_signing_out_ends_the_session_and_its_keys(owner: Person, fresh: Front) -> None:
    keys = {one["id"]: one for one in owner.http.get("/v1/keys").json()["keys"]}
    own = [key_id for key_id, one in keys.items() if one["name"] == "console"]
    cookies = dict(owner.http.cookies)
    owner.send("/console/sign-out", csrf=owner.csrf)
    assert not owner.is_in
    owner.http.cookies.update(cookies)
    assert not owner.is_in, "the token itself is good no more"
    statuses = {one["id"]: one["status"] for one in fresh.manage.get("/v1/keys").json()["keys"]}
    assert {statuses[key_id] for key_id in own} == {"revoked"}


def test_people_register_and_sign_in(person: Person) -> None:
    ada = {"email": "ada@example.org", "password": PASSWORD}
    assert "Sign in" in person.send("/console/register", **ada).text
    person.send("/console/sign-in", **ada)
    assert person.is_in
    assert person.http.get("/v1/accounts/me").json()["role"] == "owner"


def test_guessing_is_slowed_down(owner: Person) -> None:
    with Person(owner.server) as other:
        answers = [
            other.send("/console/sign-in", email=EMAIL, password=f"guess number {number}")
            for number in range(12)
        ]
    assert "too many" in answers[-1].text
