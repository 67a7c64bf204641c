"""Reports of usage, and prices: who sees what, in pages, as JSON and as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.prices import Price, PriceList
from llmaas_client.wire.usage import UsageReport
from llmaas_server.settings import Settings
from support.front import Front, client, front

CHAT = {"messages": [{"role": "user", "content": "three little words"}]}
OK = httpx.codes.OK


@pytest.fixture(scope="module")
def used(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    """A server on which the operator has made two chats and an embedding."""
    home: Path = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake")) as server:
        assert server.manage.post("/v1/prices", json={"prompt": "1"}).status_code == OK
        for path, body in (("chat", CHAT), ("chat", CHAT), ("embed", {"text": "a b"})):
            assert server.http.post(f"/v1/tasks/{path}", json=body).status_code == OK
        yield server


@pytest.fixture(scope="module")
def tenant(used: Front) -> Iterator[httpx.Client]:
    """The manager of another account, which has embedded something."""
    made = post(used.manage, "/v1/accounts", name="Tenant")
    owner = {"account_id": made["id"]}
    application = post(used.manage, "/v1/applications", name="App", **owner)
    of = {**owner, "application_id": application["id"]}
    inference = post(used.manage, "/v1/keys", name="Key", **of)["secret"]
    management = post(used.manage, "/v1/keys", name="M", kind="management", actions=["*"], **owner)
    with client(used.url, inference) as http:
        assert http.post("/v1/tasks/embed", json={"text": "a"}).status_code == OK
    with client(used.url, management["secret"]) as manage:
        yield manage


def post(http: httpx.Client, path: str, **body: Any) -> dict[str, Any]:
    response = http.post(path, json=body)
    assert response.status_code == OK, response.text
    made: dict[str, Any] = response.json()
    return made


def report(http: httpx.Client, **query: str) -> UsageReport:
    response = http.get("/v1/usage", params=query)
    assert response.status_code == OK, response.text
    return UsageReport.model_validate_json(response.content)


def code(response: httpx.Response) -> str:
    return ErrorBody.model_validate_json(response.content).error.code


def test_groups_and_total(used: Front) -> None:
    account = used.manage.get("/v1/accounts/me").json()["id"]
    found = report(used.manage, by="task,day", account_id=account)
    today = datetime.now(UTC).date()
    assert [(group.task, group.calls, group.cost) for group in found.groups] == [
        ("chat", 2, "0.000006"),
        ("embed", 1, "0.000002"),
    ]
    assert {group.day for group in found.groups} <= {today, today - timedelta(days=1)}
    assert (found.total.calls, found.total.cost, found.total.task) == (3, "0.000008", None)
    assert found.next is None


def test_filters(used: Front) -> None:
    account = used.manage.get("/v1/accounts/me").json()["id"]
    now = datetime.now(UTC)
    of = {"account_id": account}
    assert report(used.manage, task="embed", **of).total.calls == 1
    assert report(used.manage, model="none", **of).total.calls == 0
    assert report(used.manage, since=(now + timedelta(1)).date().isoformat()).total.calls == 0
    assert report(used.manage, until=(now + timedelta(hours=1)).isoformat(), **of).total.calls == 3


def test_pages(used: Front) -> None:
    account = used.manage.get("/v1/accounts/me").json()["id"]
    query = {"by": "task", "account_id": account, "limit": "1"}
    first = report(used.manage, **query)
    second = report(used.manage, **query, after=str(first.next))
    assert [one.task for one in (*first.groups, *second.groups)] == ["chat", "embed"]
    assert first.total == second.total
    assert second.next is None


def test_csv(used: Front) -> None:
    account = used.manage.get("/v1/accounts/me").json()["id"]
    query = {"by": "task", "account_id": account, "format": "csv"}
    response = used.manage.get("/v1/usage", params=query)
    assert response.headers["content-type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert [(row["task"], row["calls"], row["cost"]) for row in rows] == [
        ("chat", "2", "0.000006"),
        ("embed", "1", "0.000002"),
    ]


def test_an_account_sees_its_own(used: Front, tenant: httpx.Client) -> None:
    own = report(tenant, by="account")
    assert [(group.account, group.calls) for group in own.groups] == [
        (tenant.get("/v1/accounts/me").json()["id"], 1)
    ]
    assert report(used.manage).total.calls == 4
    operator = used.manage.get("/v1/accounts/me").json()["id"]
    refused = tenant.get("/v1/usage", params={"account_id": operator})
    assert code(refused) == "not_found"


@pytest.mark.parametrize(
    "query",
    [
        {"by": "colour"},
        {"by": "task,task"},
        {"since": "yesterday"},
        {"limit": "0"},
        {"after": "-1"},
        {"format": "xml"},
    ],
)
def test_wrong_parameters_are_named(used: Front, query: dict[str, str]) -> None:
    error = ErrorBody.model_validate_json(used.manage.get("/v1/usage", params=query).content).error
    assert (error.code, error.param) == ("invalid_request", next(iter(query)))


def test_inference_keys_see_no_usage(used: Front) -> None:
    assert code(used.http.get("/v1/usage")) == "not_allowed"


def test_prices_are_versions(used: Front, tenant: httpx.Client) -> None:
    asked = {"model": "m", "task": "chat", "prompt": "0.15", "cpu_second": "0.01"}
    assert code(used.manage.post("/v1/prices", json=asked)) == "invalid_request"  # most_seconds
    valid_from = datetime.now(UTC).replace(microsecond=0) + timedelta(days=1)
    made = Price.model_validate(
        post(
            used.manage,
            "/v1/prices",
            **asked,
            most_seconds="1.5",
            valid_from=valid_from.isoformat(),
        )
    )
    assert (made.prompt, made.cached, made.completion) == ("0.15", "0.15", "0")
    assert (made.most_seconds, made.valid_from) == ("1.5", valid_from)
    for http in (used.manage, used.http, tenant):
        prices = PriceList.model_validate_json(http.get("/v1/prices").content).prices
        assert made in prices
    entries = used.manage.get("/v1/audit").json()["entries"]
    assert [one["target"] for one in entries if one["action"] == "prices.create"][-1] == "m chat"


@pytest.mark.parametrize(
    "asked",
    [
        {"prompt": "-1"},
        {"prompt": "1.0000000001"},
        {"task": "translate"},
        {"valid_from": "2020-01-01T00:00:00Z"},
    ],
)
def test_prices_that_cannot_be(used: Front, asked: dict[str, str]) -> None:
    assert code(used.manage.post("/v1/prices", json=asked)) == "invalid_request"


def test_only_operators_set_prices(used: Front, tenant: httpx.Client) -> None:
    assert code(tenant.post("/v1/prices", json={"prompt": "1"})) == "not_allowed"
    assert code(used.http.post("/v1/prices", json={"prompt": "1"})) == "not_allowed"
