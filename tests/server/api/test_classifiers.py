"""Classifiers over HTTP: made, used, shown, moved, deleted; each account its own."""

from __future__ import annotations

import base64
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.seam import heads
from llmaas_server.seam.backend import Tally
from llmaas_server.seam.values import Event, Result
from llmaas_server.settings import Settings
from support.front import Front, client, front

EXAMPLES = {
    "billing": ["charged twice for an order", "refund my payment please", "wrong invoice amount"],
    "delivery": ["my parcel is late", "the parcel never arrived", "package lost in delivery"],
}


@pytest.fixture
def stranger(server: Front) -> Iterator[httpx.Client]:
    """Somebody of another account."""
    account = server.manage.post("/v1/accounts", json={"name": "other"}).json()["id"]
    key = server.manage.post("/v1/keys", json={"name": "k", "account_id": account}).json()
    with client(server.url, key["secret"]) as http:
        yield http


def create(http: httpx.Client, name: str, **fields: Any) -> dict[str, Any]:
    response = http.post("/v1/classifiers", json={"name": name, "examples": EXAMPLES} | fields)
    assert response.status_code == 200, response.text
    made: dict[str, Any] = response.json()
    return made


def classify(http: httpx.Client, classifier: str, **fields: Any) -> httpx.Response:
    body = {"text": "the parcel is late", "classifier": classifier} | fields
    return http.post("/v1/tasks/classify", json=body)


def test_a_classifier_is_made_and_used(server: Front) -> None:
    made = create(server.http, "support")
    assert made["usage"]["prompt_tokens"] == sum(
        len(text.split()) for texts in EXAMPLES.values() for text in texts
    )
    shown = made["classifier"]
    assert (shown["name"], shown["version"], shown["labels"]) == ("support", 1, 2)
    answer = classify(server.http, "support").json()
    assert answer["results"][0]["label"] == "delivery"
    assert (answer["method"], answer["classifier"]) == ("classifier", "support@1")


class Warned(FakeBackend):
    """Its results warn."""

    async def run(self, call_id: str, tally: Tally | None = None) -> AsyncGenerator[Event, None]:
        async with aclosing(super().run(call_id, tally)) as events:
            async for event in events:
                if isinstance(event, Result):
                    event = replace(event, body=event.body | {"warnings": [WARNING]})
                yield event


WARNING = {"code": "unread_text", "message": "the model cannot read examples"}


def test_what_the_model_cannot_read_is_told(tmp_path: Path) -> None:
    with front(Settings(home=tmp_path), Warned()) as served:
        made = create(served.http, "warned")
        assert made["warnings"] == [WARNING]
        assert set(made) >= {"classifier", "usage", "model"}
        assert "head" not in made
        assert classify(served.http, "warned").json()["warnings"] == [WARNING]


def test_without_a_warning_there_is_an_empty_list(server: Front) -> None:
    assert create(server.http, "plain")["warnings"] == []
    assert classify(server.http, "plain").json()["warnings"] == []


def test_what_it_cost_is_in_the_usage(server: Front) -> None:
    create(server.http, "counted")
    by_task = server.manage.get("/v1/usage", params={"by": "task"}).json()
    assert "train_classifier" in str(by_task)


def test_examples_may_be_rows(server: Front) -> None:
    rows = [{"text": text, "label": label} for label, texts in EXAMPLES.items() for text in texts]
    create(server.http, "rows", examples=rows)
    shown = server.http.get("/v1/classifiers/rows").json()
    assert shown["card"]["labels"] == list(EXAMPLES)
    assert [one["examples"] for one in shown["card"]["evaluation"]["classes"]] == [3, 3]


def test_a_name_again_is_the_next_version(server: Front) -> None:
    create(server.http, "twice")
    other = {"yes": ["yes of course", "yes please"], "no": ["no way", "no thanks"]}
    assert create(server.http, "twice", examples=other)["classifier"]["version"] == 2
    assert classify(server.http, "twice", text="no").json()["results"][0]["label"] == "no"
    assert classify(server.http, "twice@1").json()["classifier"] == "twice@1"
    listed = server.http.get("/v1/classifiers").json()["classifiers"]
    versions = [one["version"] for one in listed if one["name"] == "twice"]
    assert versions == [2, 1]


def test_other_accounts_do_not_see_it(server: Front, stranger: httpx.Client) -> None:
    create(server.http, "secret")
    assert stranger.get("/v1/classifiers").json() == {"classifiers": []}
    for response in (
        classify(stranger, "secret"),
        stranger.get("/v1/classifiers/secret"),
        stranger.get("/v1/classifiers/secret/export"),
        stranger.delete("/v1/classifiers/secret"),
    ):
        assert response.status_code == 404
        assert response.json()["error"]["code"] == "not_found"
    create(stranger, "secret")
    assert stranger.delete("/v1/classifiers/secret").json() == {"name": "secret", "versions": 1}
    assert classify(server.http, "secret").status_code == 200


def test_export_and_import_give_the_same_answers(server: Front, stranger: httpx.Client) -> None:
    create(server.http, "moved")
    file = server.http.get("/v1/classifiers/moved@1/export").json()["file"]
    assert heads.read(base64.b64decode(file)).card.labels == list(EXAMPLES)
    brought = stranger.post("/v1/classifiers/here/import", json={"file": file})
    assert brought.status_code == 200, brought.text
    assert brought.json()["digest"] == server.http.get("/v1/classifiers/moved").json()["digest"]
    there, here = classify(server.http, "moved").json(), classify(stranger, "here").json()
    assert there["results"] == here["results"]


@pytest.mark.parametrize(
    ("file", "says"),
    [("?", "not base64"), (base64.b64encode(b"1234567890").decode(), "not a classifier")],
)
def test_damaged_files_are_refused(server: Front, file: str, says: str) -> None:
    response = server.http.post("/v1/classifiers/bad/import", json={"file": file})
    assert response.status_code == 422
    assert says in response.json()["error"]["message"]


def test_a_version_is_not_for_the_caller_to_choose(server: Front) -> None:
    response = server.http.post("/v1/classifiers/a@7/import", json={"file": "eA=="})
    assert "'a@7' is no name" in response.json()["error"]["message"]


def test_a_file_for_other_vectors_is_refused(server: Front) -> None:
    create(server.http, "foreign")
    file = base64.b64decode(server.http.get("/v1/classifiers/foreign/export").json()["file"])
    head = heads.read(file)
    other = head.card.model_copy(update={"fingerprint": "0" * 64})
    changed = base64.b64encode(heads.write(heads.Head(other, head.weights))).decode()
    response = server.http.post("/v1/classifiers/f/import", json={"file": changed})
    assert response.status_code == 409
    assert "fingerprint 000000000000" in response.json()["error"]["message"]


def test_deleting_a_version_leaves_the_others(server: Front) -> None:
    create(server.http, "pruned")
    create(server.http, "pruned")
    assert server.http.delete("/v1/classifiers/pruned@2").json()["versions"] == 1
    assert server.http.get("/v1/classifiers/pruned").json()["version"] == 1
    create(server.http, "pruned")
    assert server.http.delete("/v1/classifiers/pruned").json()["versions"] == 2
    assert server.http.get("/v1/classifiers/pruned").status_code == 404


@pytest.mark.parametrize(
    ("fields", "code", "says"),
    [
        ({"examples": {"a": ["x", "y"]}}, "too_few_labels", "1 labels"),
        ({"examples": {"a": ["x", "y"], "b": ["z"]}}, "invalid_request", "'b' has 1"),
        ({"examples": {"a": ["x", "y"], "b": []}}, "invalid_request", "'b' has 0"),
        ({"name": "a@2"}, "invalid_request", "name"),
        ({"descriptions": {"other": "what"}}, "invalid_request", "'other' is described"),
        (
            {"out_of_scope": ["x", "y"], "scope_quantile": 0.1},
            "invalid_request",
            "scope_quantile",
        ),
    ],
)
def test_unfit_requests_are_refused(
    server: Front, fields: dict[str, Any], code: str, says: str
) -> None:
    body = {"name": "unfit", "examples": EXAMPLES} | fields
    error = server.http.post("/v1/classifiers", json=body).json()["error"]
    assert (error["code"], says in str(error)) == (code, True), error


@pytest.mark.parametrize(
    "fields",
    [{"labels": ["a", "b"]}, {"multi": True}, {"hypothesis_template": "is {}"},
     {"model": "smollm2-135m-instruct-q4_1"}, {"max_error": 0.1, "threshold": 0.5}],
)  # fmt: skip
def test_a_classifier_takes_no_labels_of_a_request(server: Front, fields: dict[str, Any]) -> None:
    create(server.http, "strict")
    error = classify(server.http, "strict", **fields).json()["error"]
    assert error["code"] == "unsupported_parameter"
    assert error["param"] in {*fields}


def test_a_repeated_request_makes_one_version(server: Front) -> None:
    headers = {"idempotency-key": "once-and-for-all-1"}
    body = {"name": "once", "examples": EXAMPLES}
    first, second = (
        server.http.post("/v1/classifiers", json=body, headers=headers).json() for _ in range(2)
    )
    assert first["classifier"] == second["classifier"]
    assert server.http.get("/v1/classifiers/once").json()["version"] == 1


def test_the_audit_trail_tells(server: Front) -> None:
    create(server.http, "told")
    server.http.delete("/v1/classifiers/told")
    trail = server.manage.get("/v1/audit", params={"limit": 1000}).text
    assert '"classifiers.create","target":"told@1"' in trail.replace(" ", "")
    assert '"classifiers.delete","target":"told"' in trail.replace(" ", "")


def test_it_is_in_the_export_of_the_account(server: Front) -> None:
    create(server.http, "mine")
    document = server.manage.get("/v1/accounts/me/export").json()
    mine = next(one for one in document["classifiers"] if one["name"] == "mine")
    assert mine["examples"]["examples"] == EXAMPLES
    assert heads.read(base64.b64decode(mine["head"])).card.model_dump() == mine["card"]
