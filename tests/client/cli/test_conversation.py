"""A conversation: what it remembers, and what ends an answer but not the conversation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client import Client
from llmaas_client.cli.conversation import Conversation
from support import answers
from support.http_server import Exchange, HTTPServer, serving

Capture = pytest.CaptureFixture[str]


def typed(*lines: str | type[BaseException]) -> Callable[[str], str]:
    """What somebody types; then Ctrl-D."""
    left = iter(lines)

    def ask(prompt: str) -> str:
        line = next(left, EOFError)
        if isinstance(line, str):
            return line
        raise line

    return ask


def serve(exchange: Exchange) -> None:
    if exchange.path == "/v1/models":
        exchange.answer(answers.models())
        return
    said = exchange.json["messages"][-1]["content"]
    if said == "fail":
        exchange.answer(answers.error("context_overflow", "too long"), "422 No")
        return
    exchange.start_stream()
    exchange.event("start", answers.START)
    exchange.event("delta", {"text": f"You said {said}"})
    exchange.event("done", answers.chat(f"You said {said}"))
    exchange.end_stream()


@pytest.fixture
def server() -> Iterator[HTTPServer]:
    with serving(serve) as server:
        yield server


def talk(server: HTTPServer, *lines: str | type[BaseException], **options: Any) -> Conversation:
    with Client(server.url) as client:
        conversation = Conversation(client, **options)
        conversation.talk(typed(*lines))
    return conversation


def asked(server: HTTPServer) -> list[list[str]]:
    """The contents of the messages of every chat request."""
    return [
        [message["content"] for message in request.json["messages"]]
        for request in server.requests
        if request.path.endswith("/chat")
    ]


def test_remembers(server: HTTPServer, capsys: Capture) -> None:
    talk(server, "one", "two", "/exit", "never", system="Be brief.")
    assert asked(server) == [
        ["Be brief.", "one"],
        ["Be brief.", "one", "You said one", "two"],
    ]
    assert "You said one\nYou said two\n" in capsys.readouterr().out


def test_clear_forgets(server: HTTPServer) -> None:
    talk(server, "one", "/clear", "two")
    assert asked(server) == [["one"], ["two"]]


def test_says_who_speaks_and_that_it_is_small(server: HTTPServer, capsys: Capture) -> None:
    talk(server)
    out = capsys.readouterr().out
    assert "Talking to tiny." in out
    assert out.count("tiny is a small model for trying things out") == 1
    assert "llmaas models recommend" in out


def test_blank_lines_and_unknown_words_ask_nothing(server: HTTPServer, capsys: Capture) -> None:
    talk(server, "", "   ", "/what")
    assert asked(server) == []
    assert capsys.readouterr().out.count("/exit or Ctrl-D leaves") == 2


def test_an_error_ends_the_answer_only(server: HTTPServer, capsys: Capture) -> None:
    conversation = talk(server, "fail", "two")
    assert asked(server) == [["fail"], ["two"]]
    assert "error: too long" in capsys.readouterr().err
    assert len(conversation.session) == 1


def test_ctrl_c_at_the_prompt_leaves_nothing(server: HTTPServer, capsys: Capture) -> None:
    talk(server, KeyboardInterrupt, "one")
    assert asked(server) == [["one"]]


def test_undo_takes_the_last_turn_back(server: HTTPServer, capsys: Capture) -> None:
    talk(server, "one", "two", "/undo", "three", "/undo", "/undo", "/undo")
    assert asked(server)[-1] == ["one", "You said one", "three"]
    err = capsys.readouterr().err
    assert "(took back: two)" in err
    assert "error: there is nothing to undo" in err


def test_save_and_load(server: HTTPServer, capsys: Capture, tmp_path: Path) -> None:
    file = tmp_path / "talk.json"
    talk(server, "one", f"/save {file}", "/clear", f"/load {file}", "two", "/load nowhere", "/save")
    assert asked(server)[-1] == ["one", "You said one", "two"]
    captured = capsys.readouterr()
    assert "(loaded: 1 turns)" in captured.err
    assert "error: [Errno 2]" in captured.err
    assert captured.out.count("/save FILE") == 2  # at first, and for /save without a file


def test_ctrl_c_in_an_answer_leaves_that_turn_out(
    server: HTTPServer, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llmaas_client.cli import conversation as module

    written: list[str] = []

    def write(text: str) -> None:
        written.append(text)
        if len(written) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr(module, "_write", write)
    talk(server, "one", "two")
    assert asked(server) == [["one"], ["two"]]
    assert "(stopped" in capsys.readouterr().err


def test_what_was_thought_is_dim_and_apart(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def think(exchange: Exchange) -> None:
        if exchange.path == "/v1/models":
            exchange.answer(answers.models())
            return
        exchange.start_stream()
        exchange.event("start", answers.START)
        for piece in ({"reasoning": "Hm "}, {"reasoning": "well."}, {"text": "Yes"}, {"text": "!"}):
            exchange.event("delta", {"text": "", **piece})
        exchange.event("done", answers.chat("Yes!"))
        exchange.end_stream()

    from llmaas_client.cli import conversation as module

    with serving(think) as server:
        talk(server, "Well?")
        assert capsys.readouterr().out.endswith("Yes!\n\n")
        monkeypatch.setattr("sys.stdout.isatty", lambda: True)
        talk(server, "Well?")
    shown = capsys.readouterr().out
    assert f"{module.DIM}Hm {module.PLAIN}{module.DIM}well.{module.PLAIN}\n\nYes!\n" in shown
