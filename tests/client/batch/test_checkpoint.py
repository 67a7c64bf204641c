"""Maps that go on where another run stopped."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import Client, errors
from llmaas_client.batch.checkpoint import Checkpoint
from support.clients import KINDS, Kind
from support.http_server import Exchange, HTTPServer, serving
from support.mapping import TaskServer, refusal, run_map, texts_of

LABELS = ["positive", "negative"]
TEXTS = [f"good text {n}" for n in range(10)]


@pytest.fixture
def tasks() -> TaskServer:
    return TaskServer()


@pytest.fixture
def server(tasks: TaskServer) -> Any:
    with serving(tasks.answer) as server:
        yield server


@pytest.fixture
def client(server: HTTPServer) -> Any:
    with Client(server.url) as client:
        yield client


@pytest.mark.parametrize(
    ("task", "arguments"),
    [
        ("classify", {"labels": LABELS}),
        ("embed", {}),
        ("summarize", {"max_words": 9}),
        ("chat", {"system": "x"}),
    ],
)
def test_what_is_done_is_not_done_again(
    client: Client, tasks: TaskServer, tmp_path: Path, task: str, arguments: Any
) -> None:
    door = getattr(client, task)
    file = tmp_path / "run.jsonl"
    first = door.map(TEXTS[:6], checkpoint=file, **arguments)
    again = door.map(TEXTS, checkpoint=file, **arguments)
    assert sorted(tasks.texts) == sorted(TEXTS)
    assert again.resumed == 6
    assert list(again[:6]) == list(first)
    assert [item.input for item in again.items] == TEXTS
    third = door.map(TEXTS, checkpoint=file, **arguments)
    assert list(third) == list(again)
    assert (third.resumed, third.requests) == (10, 0)
    assert file.stat().st_mode & 0o077 == 0


def test_a_run_that_failed_goes_on(tasks: TaskServer, client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    inputs = [*TEXTS, "poison"]

    def poisoned(exchange: Exchange, number: int) -> bool:
        bad = "poison" in texts_of(exchange)
        return bad and refusal(exchange, "context_overflow", "422 No", param="messages.0")

    tasks.refuse = poisoned
    with pytest.raises(errors.ContextOverflow):
        client.chat.map(inputs, checkpoint=file, concurrency=1)
    tasks.refuse = lambda exchange, number: False
    out = client.chat.map(inputs, checkpoint=file)
    assert out.resumed == 10
    assert tasks.texts == inputs


def test_equal_inputs_are_worked_on_each(client: Client, tasks: TaskServer, tmp_path: Path) -> None:
    """The same question may have two answers: what samples is asked as often as it is there."""
    file = tmp_path / "run.jsonl"
    client.chat.map(["x", "x"], checkpoint=file)
    assert client.chat.map(["x", "x", "x"], checkpoint=file).resumed == 2
    assert tasks.texts == ["x"] * 3


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"labels": ["a", "b"]}, r'labels was \["positive", "negative"\] and is \["a", "b"\]'),
        ({"labels": LABELS, "multi": True}, "multi was null and is true"),
        ({"labels": LABELS, "model": "m"}, 'model was null and is "m"'),
    ],
)
def test_other_arguments_are_refused(
    client: Client, server: HTTPServer, tmp_path: Path, changes: Any, said: str
) -> None:
    file = tmp_path / "run.jsonl"
    client.classify.map(TEXTS, checkpoint=file, labels=LABELS)
    before = file.read_bytes()
    with pytest.raises(errors.ConfigurationError, match=said):
        client.classify.map(TEXTS, checkpoint=file, **changes)
    with pytest.raises(errors.ConfigurationError, match='task was "classify" and is "embed"'):
        client.embed.map(TEXTS, checkpoint=file)
    with pytest.raises(errors.ConfigurationError, match="labels was"):
        client.using(labels=["a", "b"]).classify.map(TEXTS, checkpoint=file)
    assert len(server.requests) == 1
    assert file.read_bytes() == before


def test_a_system_message_is_an_argument(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    client.chat.map(["x"], checkpoint=file, system="one")
    with pytest.raises(errors.ConfigurationError, match="messages was"):
        client.chat.map(["x"], checkpoint=file, system="two")


@pytest.mark.parametrize("cut", [1, 20, 60])
def test_a_line_that_was_cut_is_worked_on_again(
    client: Client, tasks: TaskServer, tmp_path: Path, cut: int
) -> None:
    file = tmp_path / "run.jsonl"
    client.chat.map(TEXTS, checkpoint=file, concurrency=1)
    file.write_bytes(file.read_bytes()[:-cut])
    assert client.chat.map(TEXTS, checkpoint=file).resumed == 9
    assert client.chat.map(TEXTS, checkpoint=file).resumed == 10
    assert all(json.loads(line) for line in file.read_text().splitlines())
    assert len(tasks.texts) == 11


def test_every_cut_of_a_file_can_be_gone_on_from(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    with Checkpoint(file, "chat", {"seed": 1}) as kept:
        keys = [kept.key(text) for text in TEXTS]
        kept.save([(key, {"value": at}) for at, key in enumerate(keys)])
    whole = file.read_bytes()
    for end in range(0, len(whole) + 1, 7):
        file.write_bytes(whole[:end])
        with Checkpoint(file, "chat", {"seed": 1}) as kept:
            found = [kept.find(kept.key(text)) for text in TEXTS]
        values = [None if entry is None else entry["value"] for entry in found]
        complete = max(0, whole[:end].count(b"\n") - 1)
        assert values == [*range(complete), *[None] * (10 - complete)]
        assert whole.startswith(file.read_bytes())


def test_a_damaged_line_in_the_middle(client: Client, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    client.chat.map(TEXTS, checkpoint=file, concurrency=1)
    lines = file.read_bytes().splitlines(keepends=True)
    lines[3] = b"\xff{" + lines[3][2:]
    file.write_bytes(b"".join(lines))
    assert client.chat.map(TEXTS, checkpoint=file).resumed == 9


@pytest.mark.parametrize("content", [b"text,label\n", b"{}\n", b"notes", b"[1]\n"])
def test_another_file_is_not_touched(client: Client, tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "data.csv"
    file.write_bytes(content)
    with pytest.raises(errors.ConfigurationError, match=r"data\.csv is not a checkpoint"):
        client.chat.map(TEXTS, checkpoint=file)
    assert file.read_bytes() == content


def test_a_folder_that_is_not_there(client: Client, tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigurationError, match="No such file"):
        client.chat.map(TEXTS, checkpoint=tmp_path / "nowhere" / "run.jsonl")


def test_two_maps_do_not_share_a_file(client: Client, tmp_path: Path) -> None:
    pytest.importorskip("fcntl")
    file = tmp_path / "run.jsonl"
    with (
        Checkpoint(file, "chat", {}),
        pytest.raises(errors.ConfigurationError, match="in use by another map"),
    ):
        client.chat.map(TEXTS, checkpoint=file)


@pytest.mark.parametrize("kind", KINDS)
def test_both_clients_write_the_same_file(kind: Kind, server: HTTPServer, tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    run_map("sync", server.url, "chat", TEXTS, checkpoint=file)
    assert run_map(kind, server.url, "chat", TEXTS, checkpoint=file).resumed == 10
