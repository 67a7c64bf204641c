"""The API as a page: all of it, and samples that work as they stand."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from llmaas_server.settings import Settings
from llmaas_server.ui.manual import Manual, Operation, manual_of
from support.console import Person
from support.front import Front, front

RUNS = ("tasks", "openai", "huggingface")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake")) as running:
        yield running


@pytest.fixture(scope="module")
def document(server: Front) -> dict[str, Any]:
    described: dict[str, Any] = server.http.get("/openapi.json").json()
    return described


@pytest.fixture(scope="module")
def manual(document: dict[str, Any]) -> Manual:
    return manual_of(document)


def operations(manual: Manual) -> list[Operation]:
    return [one for group in manual.groups for one in group.operations]


def named(manual: Manual, id: str) -> Operation:
    return next(one for one in operations(manual) if one.id == id)


def test_nothing_is_left_out(document: dict[str, Any], manual: Manual) -> None:
    assert {(one.method.lower(), one.path) for one in operations(manual)} == {
        (method, path) for path, ways in document["paths"].items() for method in ways
    }
    shapes = {shape.name for shape in manual.shapes}
    assert shapes == document["components"]["schemas"].keys()
    words = [piece for shape in manual.shapes for one in shape.fields for piece in one.words]
    assert {piece.text for piece in words if piece.role == "shape"} <= shapes


def test_an_operation(manual: Manual) -> None:
    chat = named(manual, "post_v1_tasks_chat")
    assert chat.request is not None
    assert chat.request.name == "ChatRequest"
    assert [event.name for event in chat.events] == ["start", "delta", "progress", "done", "error"]
    assert any("budget_exceeded" in dict(failure.codes) for failure in chat.failures)
    assert {one.place for one in chat.parameters} == {"header"}
    usage = named(manual, "get_v1_usage")
    assert [media for media, _ in usage.answer] == ["application/json", "text/csv"]
    key = named(manual, "get_v1_keys_id").parameters[0]
    assert (key.name, key.place, key.is_required) == ("id", "path", True)
    assert all("/v1/keys/ID" in sample.text for sample in named(manual, "get_v1_keys_id").samples)


@pytest.mark.parametrize("language", ["curl", "Python"])
def test_samples_work_as_they_stand(server: Front, manual: Manual, language: str) -> None:
    if language == "curl" and shutil.which("curl") is None:
        pytest.skip("there is no curl")
    environment = {
        **os.environ,
        "LLMAAS_BASE_URL": server.url,
        "LLMAAS_API_KEY": server.key,
        "LLMAAS_MANAGEMENT_KEY": server.management_key,
    }
    chosen = [
        named(manual, id)
        for id in ("post_v1_tasks_chat", "post_v1_tasks_classify", "post_v1_keys", "get_v1_models",
                   "post_hf_summarization", "post_v1_sign_in_links", "get_health_live")
    ]  # fmt: skip
    for one in chosen:
        (text,) = (sample.text for sample in one.samples if sample.language == language)
        if one.id == "post_v1_keys":  # of an application that is there
            mine = server.manage.get("/v1/applications").json()["applications"][0]["id"]
            text = text.replace(_application_in(text), mine)
        program = ["sh", "-c", text] if language == "curl" else [sys.executable, "-c", text]
        done = subprocess.run(
            program, capture_output=True, text=True, env=environment, timeout=60, check=True
        )
        assert done.stdout.strip(), one.id
        assert '"error"' not in done.stdout, done.stdout


def _application_in(text: str) -> str:
    return next(word.strip("'\",") for word in text.split() if "app_" in word)


def test_docs_lead_to_the_page(server: Front) -> None:
    with Person(server) as person:
        answer = person.http.get("/docs")
        assert answer.headers["location"] == "/console/docs"
        answer = person.http.get("/console/docs")
        assert answer.headers["location"] == "/console/sign-in?next=%2Fconsole%2Fdocs"
        person.become_owner()
        page = person.http.get("/console/docs").text
        assert 'id="post_v1_tasks_chat"' in page
        assert 'id="shape-ChatRequest"' in page


def test_without_a_console_there_is_no_page(tmp_path_factory: pytest.TempPathFactory) -> None:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, backend="fake", console=False)) as running:
        assert running.http.get("/docs").status_code == 404
        assert running.http.get("/openapi.json").status_code == 200
