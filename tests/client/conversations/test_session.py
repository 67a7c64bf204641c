"""Sessions remember what was said, and nothing of what went wrong."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import Client, errors
from support import answers
from support.clients import KINDS, Kind
from support.http_server import Exchange, serving
from support.talking import talking


def echo(asked: dict[str, Any]) -> dict[str, Any]:
    return answers.chat(f"re: {asked['messages'][-1]['content']}")


REFUSED = answers.error("context_overflow", "too long", needed=200, limit=100)


@pytest.mark.parametrize("kind", KINDS)
def test_a_session_remembers(kind: Kind) -> None:
    with talking(kind, echo) as (either, script):
        talk = either.client.chat.session(system="Be brief.", temperature=0)
        reply = either.get(talk.send("one"))
        assert (reply.text, reply.value) == ("re: one", "re: one")
        text, streamed = either.streamed(talk.stream("two", seed=7))
        assert (text, streamed.text) == ("re: two", "re: two")
        assert either.get(talk("three")).text == "re: three"
    assert script.said() == ["Be brief.", "one", "re: one", "two", "re: two", "three"]
    assert [body.get("seed") for body in script.chats()] == [None, 7, None]
    assert {body["temperature"] for body in script.chats()} == {0}
    assert [message.role for message in talk.messages][:3] == ["system", "user", "assistant"]
    assert (len(talk), talk.system, talk.dropped, talk.summary) == (3, "Be brief.", (), None)


@pytest.mark.parametrize("kind", KINDS)
def test_a_failure_leaves_it_as_it_was(kind: Kind) -> None:
    with talking(kind, echo, REFUSED, REFUSED, echo) as (either, script):
        talk = either.client.chat.session()
        either.get(talk.send("one"))
        before = talk.messages
        with pytest.raises(errors.ContextOverflow) as caught:
            either.get(talk.send("two"))
        assert (caught.value.needed, caught.value.limit) == (200, 100)
        with pytest.raises(errors.ContextOverflow):
            either.streamed(talk.stream("two"))
        assert talk.messages == before
        either.get(talk.send("three"))
    assert script.said() == ["one", "re: one", "three"]


def test_a_stream_that_is_left_early_is_not_remembered() -> None:
    with talking("sync", echo) as (either, _):
        talk = either.client.chat.session()
        with talk.stream("one") as stream:
            for _text in stream:
                break
        assert len(talk) == 0
        assert either.get(talk.send("two")).text == "re: two"


@pytest.mark.parametrize("message", ["", "  ", "a\0b", 3])
def test_a_message_is_checked_before_it_is_sent(message: Any) -> None:
    with talking("sync", echo) as (either, script):
        talk = either.client.chat.session()
        with pytest.raises(errors.InvalidRequest):
            talk.send(message)
        assert script.requests == []
        assert len(talk) == 0


def test_forks_know_nothing_of_each_other() -> None:
    with talking("sync", echo) as (either, script):
        talk = either.client.chat.session(system="s", max_tokens=5)
        talk.send("one")
        other = talk.fork()
        talk.send("two")
        other.send("three")
    assert script.said(1) == ["s", "one", "re: one", "two"]
    assert script.said(2) == ["s", "one", "re: one", "three"]
    assert script.chats()[2]["max_tokens"] == 5


def test_undo() -> None:
    with talking("sync", echo) as (either, script):
        talk = either.client.chat.session()
        talk.send("one")
        talk.send("two")
        assert [message.content for message in talk.undo()] == ["two", "re: two"]
        talk.send("three")
        assert script.said() == ["one", "re: one", "three"]
        talk.undo()
        talk.undo()
        with pytest.raises(ValueError, match="nothing to undo"):
            talk.undo()


def test_one_turn_at_a_time() -> None:
    reached, go_on = threading.Event(), threading.Event()

    def wait(exchange: Exchange) -> None:
        reached.set()
        assert go_on.wait(10)
        exchange.answer(answers.chat())

    with serving(wait) as server, Client(server.url) as client:
        talk = client.chat.session()
        thread = threading.Thread(target=talk.send, args=("one",))
        thread.start()
        try:
            assert reached.wait(10)
            with pytest.raises(RuntimeError, match="one turn at a time"):
                talk.send("two")
            with pytest.raises(RuntimeError, match="one turn at a time"):
                talk.undo()
        finally:
            go_on.set()
            thread.join(10)
        assert len(talk) == 1


@pytest.mark.parametrize("kind", KINDS)
def test_save_and_load(kind: Kind, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    with talking(kind, echo) as (either, script):
        talk = either.client.chat.session(
            system="s", overflow="drop_oldest", max_tokens=9, stop=["x"]
        )
        either.get(talk.send("one"))
        talk.save(file)
        assert file.stat().st_mode & 0o777 == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["talk.json"]
        again = either.client.chat.session.load(file, max_tokens=4)
        assert (again.messages, again.overflow) == (talk.messages, "drop_oldest")
        either.get(again.send("two"))
    assert script.said() == ["s", "one", "re: one", "two"]
    assert (script.chats()[-1]["max_tokens"], script.chats()[-1]["stop"]) == (4, ["x"])
    assert json.loads(file.read_bytes())["llmaas_session"] == 1


def test_saving_keeps_the_old_file_where_it_fails(tmp_path: Path) -> None:
    with talking("sync", echo) as (either, _):
        talk = either.client.chat.session()
        with pytest.raises(OSError):
            talk.save(tmp_path / "nowhere" / "talk.json")
        folder = tmp_path / "folder"
        folder.mkdir()
        with pytest.raises(OSError):
            talk.save(folder)
        assert list(tmp_path.iterdir()) == [folder]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"{", "no session, or damaged"),
        (b"\xff\xfe", "no session, or damaged"),
        (b"[]", "is no session"),
        (b'{"a": 1}', "is no session"),
        (b'{"llmaas_session": 2}', "version 2"),
        (b'{"llmaas_session": 1, "system": 3}', "damaged: "),
        (
            b'{"llmaas_session": 1, "system": null, "overflow": "error", "options": {}, '
            b'"turns": [{"messages": [{"role": "user"}]}]}',
            "damaged: turns.0.messages.0",
        ),
        (
            b'{"llmaas_session": 1, "system": null, "overflow": "error", "options": {}, '
            b'"turns": [{"messages": []}]}',
            "damaged: turns.0.messages",
        ),
        (
            b'{"llmaas_session": 1, "system": null, "overflow": "error", "options": {"x": 1}, '
            b'"turns": []}',
            "no option 'x'",
        ),
    ],
)
def test_damaged_files(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "talk.json"
    file.write_bytes(content)
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(errors.ConfigurationError, match=says) as caught:
            client.chat.session.load(file)
        assert str(file) in str(caught.value)
        with pytest.raises(FileNotFoundError):
            client.chat.session.load(tmp_path / "other")


def test_wrong_arguments() -> None:
    with Client("http://127.0.0.1:9") as client:
        with pytest.raises(errors.ConfigurationError, match="drop_oldest"):
            client.chat.session(overflow="forget")  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="'temprature'"):
            client.chat.session(temprature=1)  # type: ignore[call-arg]
        with pytest.raises(TypeError, match="'system'"):
            client.chat.session().send("x", system="s")  # type: ignore[call-overload]
        with pytest.raises(errors.ConfigurationError, match="several answers"):
            client.chat.session(n=2).send("x")


def test_documents_go_along_as_they_are() -> None:
    with talking("sync", echo) as (either, script):
        talk = either.client.chat.session(documents=["a", {"text": "b", "id": "x"}])
        talk.send("one")
        assert script.chats()[0]["documents"] == ["a", {"text": "b", "id": "x"}]
        with pytest.raises(errors.InvalidRequest) as caught:
            talk.send("two", documents="no list")
        assert caught.value.param == "documents"
