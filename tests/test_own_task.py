"""The page on tasks of one's own: applied to an installed package, its task answers."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.models.store import Store
from support.pages import DOCS, Page
from support.serving import Serving, serving
from support.wheels import Environment, make_environment

PATH = DOCS / "how-to" / "own-task.md"
PAGE = Page(PATH, PATH.read_text("utf-8"))


def apply(packages: Path) -> None:
    """Write the files of the page, and make its changes."""
    for block in PAGE.blocks:
        if block.language not in {"py", "diff"}:
            continue
        first, _, rest = block.text.partition("\n")
        path = packages / first.removeprefix("# src/")
        if block.language == "py":
            path.write_text(rest, "utf-8")
            continue
        lines = rest.splitlines()
        old, new = ("\n".join(line[1:] for line in lines if line[0] != sign) for sign in ("+", "-"))
        text = path.read_text("utf-8")
        assert text.count(old) == 1, f"{path} has changed: {old!r} is not in it once"
        path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture(scope="module")
def changed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    environment = make_environment(tmp_path_factory.mktemp("changed") / "venv", wheel, "server")
    apply(environment.packages)
    return environment


@pytest.fixture(scope="module")
def server(
    changed: Environment, embedded_store: Store, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("serving")
    with serving(folder, embedded_store.cache, program=changed.llmaas) as running:
        yield running


def ask(
    server: Serving, path: str, body: dict[str, Any] | None = None
) -> tuple[int, dict[str, Any]]:
    request = urllib.request.Request(
        server.base_url + path,
        json.dumps(body).encode() if body else None,
        {"Authorization": f"Bearer {server.key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, json.loads(refused.read())


ASKED = {"query": "When does the library open?", "texts": ["The roof is new.", "It opens at nine."]}


@pytest.mark.real_models
def test_the_task_answers(server: Serving) -> None:
    status, result = ask(server, "/v1/tasks/rank", ASKED)
    assert status == 200, result
    assert [one["index"] for one in result["ranking"]] == [1, 0]
    assert result["model"] == "all-minilm-l6-v2"
    assert result["usage"]["prompt_tokens"] > 0


@pytest.mark.real_models
def test_the_rest_comes_of_the_shapes(server: Serving) -> None:
    assert ask(server, "/v1/tasks/rank/price", ASKED)[0] == 200
    assert ask(server, "/v1/tasks/rank", ASKED | {"colour": 1})[1]["error"]["param"] == "colour"
    long = ask(server, "/v1/tasks/rank", ASKED | {"texts": ["word " * 1000]})[1]["error"]
    assert (long["code"], "texts[0]" in long["message"]) == ("context_overflow", True)
    assert "/v1/tasks/rank" in ask(server, "/openapi.json")[1]["paths"]
