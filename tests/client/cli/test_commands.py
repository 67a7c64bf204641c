"""The commands against a real socket: output, input, exit codes, one line for every error."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.cli import main
from support import answers
from support.http_server import Exchange, HTTPServer, serving


def serve(exchange: Exchange) -> None:
    """A server that knows every task."""
    match exchange.path.rpartition("/")[2]:
        case "classify":
            exchange.answer(answers.classify())
        case "embed":
            exchange.answer(answers.embed())
        case "summarize":
            exchange.start_stream()
            exchange.event("start", answers.START)
            exchange.event("progress", {"stage": "reading", "done": 1, "total": 1})
            exchange.event("done", answers.summarize())
            exchange.end_stream()
        case "chat":
            exchange.start_stream()
            exchange.event("start", answers.START)
            exchange.event("delta", {"text": "Hello "})
            exchange.event("delta", {"text": "you"})
            exchange.event("done", answers.chat())
            exchange.end_stream()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    with serving(serve) as server:
        monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
        yield server


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    def fill(data: bytes) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data), "utf-8"))

    return fill


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> None:
    """Standard input is a terminal."""
    stdin = io.TextIOWrapper(io.BytesIO(), "utf-8")
    monkeypatch.setattr(stdin, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)


Capture = pytest.CaptureFixture[str]


def failing(status: str, body: Any) -> Callable[[Exchange], None]:
    return lambda exchange: exchange.answer(body, status)


def test_classify(server: HTTPServer, capsys: Capture) -> None:
    assert main(["classify", "I love it", "--labels", "positive, negative"]) == 0
    assert capsys.readouterr() == ("positive\t0.9000\nnegative\t0.1000\n", "")
    assert server.requests[0].json == {"text": "I love it", "labels": ["positive", "negative"]}


@pytest.mark.parametrize(
    ("words", "labels"),
    [
        (["--labels", "a,b"], ["a", "b"]),
        (["--labels", " a , ,b,"], ["a", "b"]),
        (["--label", "a=one", "--label", "b=x=y"], {"a": "one", "b": "x=y"}),
        (["--labels", "a", "--label", "b=two"], {"a": "a", "b": "two"}),
        (["--label", "a", "--label", "b"], ["a", "b"]),
        ([], None),
    ],
)
def test_classify_labels(server: HTTPServer, words: list[str], labels: Any) -> None:
    assert main(["classify", "x", *words]) == 0
    assert server.requests[0].json.get("labels") == labels


def test_classify_options(server: HTTPServer) -> None:
    words = ["--labels", "a,b", "--multi", "--top-k", "1", "--threshold", "0.5", "--model", "m"]
    assert main(["classify", "x", *words]) == 0
    assert server.requests[0].json == {
        "text": "x",
        "labels": ["a", "b"],
        "multi": True,
        "top_k": 1,
        "threshold": 0.5,
        "model": "m",
    }


def test_classify_says_that_it_abstains(capsys: Capture) -> None:
    body = answers.classify()
    body["results"][0] |= {"label": None, "labels": [], "abstained": True}
    with serving(lambda exchange: exchange.answer(body)) as server:
        assert main(["classify", "x", "--labels", "a,b", "--base-url", server.url]) == 0
    assert "no label reaches the threshold" in capsys.readouterr().err


def test_classify_explains(capsys: Capture) -> None:
    body = answers.classify()
    body["results"][0] |= {"explanation": answers.explanation()}
    words = ["classify", "I love it", "--labels", "positive,negative", "--explain"]
    with serving(lambda exchange: exchange.answer(body)) as server:
        assert main([*words, "--base-url", server.url]) == 0
        assert server.requests[0].json["explain"] == {}
    shown = capsys.readouterr()
    assert shown.out.splitlines()[3:] == [
        "0\t1\t-0.0500\tI",
        "2\t6\t0.5000\tlove",
        "7\t9\t0.0000\tit",
    ]
    assert shown.err == "without “love”: negative 0.600\n"


def test_classify_explains_to_people(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    body = answers.classify()
    body["results"][0] |= {"explanation": answers.explanation()}
    words = ["classify", "I love it", "--labels", "positive,negative", "--explain"]
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with serving(lambda exchange: exchange.answer(body)) as server:
        assert main([*words, "--base-url", server.url]) == 0
    shown = capsys.readouterr().out
    assert "I love it" in re.sub("\x1b\\[[0-9;]*m", "", shown)
    assert "+0.500" in shown
    assert "without “love”: negative 0.600" in shown


def test_summarize_a_pipe(
    server: HTTPServer, pipe: Callable[[bytes], None], capsys: Capture
) -> None:
    pipe("\ufeffA long text — 二.".encode())
    assert main(["summarize", "--max-words", "9", "--style", "bullets", "--length", "short"]) == 0
    assert capsys.readouterr() == ("Short.\n", "")
    sent = server.requests[0].json
    assert sent["text"] == "A long text — 二."
    assert (sent["max_words"], sent["style"], sent["length"]) == (9, "bullets", "short")


def test_summarize_a_file(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    path = tmp_path / "report.txt"
    path.write_text("A long text.", "utf-8")
    assert main(["summarize", str(path)]) == 0
    assert server.requests[0].json["text"] == "A long text."


def test_summarize_marks_what_the_text_does_not_support(
    capsys: Capture, pipe: Callable[[bytes], None]
) -> None:
    sentence = {
        "text": "It cost \x1b[1m42.",
        "sources": [{"start": 0, "end": 4}],
        "support": 0.05,
        "supported": False,
        "reasons": ["the number 42 is not in the source"],
    }

    def serve_marked(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        found = {"sentences": [sentence], "unsupported": 1, "dropped": 2}
        exchange.event("done", answers.summarize("It cost 42.") | found)
        exchange.end_stream()

    pipe(b"A text.")
    with serving(serve_marked) as server:
        words = ["summarize", "--base-url", server.url, "--focus", "What did it cost?", "--strict"]
        assert main(words) == 0
        asked = server.requests[0].json
    assert (asked["focus"], asked["strict"]) == ("What did it cost?", True)
    out, err = capsys.readouterr()
    assert out == "It cost 42.\n"
    assert "! It cost [1m42.\n  the number 42 is not in the source\n" in err
    assert "left out without support: 2" in err


def test_summarize_says_what_was_not_read(capsys: Capture, pipe: Callable[[bytes], None]) -> None:
    def half(exchange: Exchange) -> None:
        exchange.start_stream()
        exchange.event("start", answers.START)
        exchange.event("done", answers.summarize() | {"coverage": 0.5})
        exchange.end_stream()

    pipe(b"text")
    with serving(half) as server:
        assert main(["summarize", "--base-url", server.url]) == 0
    assert capsys.readouterr() == ("Short.\n", "note: 50.0% of the text was read\n")


@pytest.mark.parametrize("words", [["chat", "Hi"], ["chat"], ["chat", "-"]])
def test_chat(
    server: HTTPServer, pipe: Callable[[bytes], None], capsys: Capture, words: list[str]
) -> None:
    pipe(b"Hi")
    assert main([*words, "--system", "Be brief.", "--max-tokens", "5", "--seed", "1"]) == 0
    assert capsys.readouterr() == ("Hello you\n", "")
    sent = server.requests[0].json
    assert sent["messages"][1] == {"role": "user", "content": "Hi"}
    assert (sent["max_tokens"], sent["seed"]) == (5, 1)


def test_embed(server: HTTPServer, capsys: Capture) -> None:
    assert main(["embed", "x"]) == 0
    assert json.loads(capsys.readouterr().out) == [0.6, 0.8]


@pytest.mark.parametrize("task", ["classify", "summarize", "chat", "embed"])
def test_json_is_the_result_of_the_wire(
    server: HTTPServer, pipe: Callable[[bytes], None], capsys: Capture, task: str
) -> None:
    pipe(b"Hi")
    labels = ["--labels", "a,b"] if task == "classify" else []
    assert main([task, "--json", *labels]) == 0
    printed = json.loads(capsys.readouterr().out)
    made = getattr(answers, task)()
    assert {name: printed[name] for name in answers.HEAD} == answers.HEAD
    assert set(made) <= set(printed)


@pytest.mark.parametrize("words", [["--version"], ["version"]])
def test_version(capsys: Capture, words: list[str]) -> None:
    assert main(words) == 0
    assert capsys.readouterr().out.strip()[0].isdigit()


def one_line(capsys: Capture) -> str:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    return err


@pytest.mark.parametrize(
    ("status", "body", "code", "text"),
    [
        ("404 No", answers.error("model_not_found", "no model is named 'x'"), 1, "GET /v1/models"),
        ("500 No", b"<html>", 1, "500"),
        ("200 OK", b"<html>", 1, "llmaas"),
        ("401 No", answers.error("missing_key"), 4, "LLMAAS_API_KEY"),
        ("401 No", answers.error("invalid_key"), 4, "LLMAAS_API_KEY"),
        ("403 No", answers.error("not_allowed"), 4, "scope"),
    ],
)
def test_a_refusal_is_one_line_and_an_exit_code(
    capsys: Capture, status: str, body: Any, code: int, text: str
) -> None:
    with serving(failing(status, body)) as server:
        assert main(["embed", "x", "--base-url", server.url]) == code
    assert text in one_line(capsys)


def test_nobody_listens(capsys: Capture) -> None:
    with serving(serve) as server:
        gone = server.url
    assert main(["chat", "Hi", "--base-url", gone]) == 3
    assert f"nothing listens on {gone}: start the server with: llmaas serve" in one_line(capsys)


def test_a_timeout(capsys: Capture) -> None:
    def silent(exchange: Exchange) -> None:
        exchange.wait_for_close(30)
        exchange.hang_up()

    with serving(silent) as server:
        assert main(["embed", "x", "--base-url", server.url, "--timeout", "0.2"]) == 1
    assert "timeout=0.2" in one_line(capsys)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (["chat", "--nothing"], "llmaas chat --help"),
        (["nothing"], "llmaas --help"),
        (["summarize", "/nowhere/file"], "/nowhere/file"),
        (["summarize", "--length", "huge"], "--length"),
        (["embed", "x", "--base-url", "nowhere"], "base_url"),
        (["embed", "x", "--timeout", "0"], "timeout"),
        (["classify", "x", "--label", "=y"], "NAME=DESCRIPTION"),
    ],
)
def test_wrong_usage(capsys: Capture, words: list[str], text: str) -> None:
    assert main(words) == 2
    assert text in one_line(capsys)


def test_what_the_contract_refuses_is_told_without_a_server(capsys: Capture) -> None:
    assert main(["classify", "x", "--labels", "a,a", "--base-url", "http://127.0.0.1:9"]) == 1
    assert "'a' is there twice" in one_line(capsys)


def test_input_that_is_no_text(capsys: Capture, pipe: Callable[[bytes], None]) -> None:
    pipe(b"caf\xe9")
    assert main(["summarize"]) == 2
    assert "not UTF-8" in one_line(capsys)


@pytest.mark.usefixtures("keyboard")
@pytest.mark.parametrize("words", [["summarize"], ["embed"], ["classify", "--labels", "a,b"]])
def test_a_terminal_is_not_waited_for(capsys: Capture, words: list[str]) -> None:
    assert main(words) == 2
    assert "pipe it in" in one_line(capsys)


@pytest.mark.usefixtures("keyboard")
def test_a_conversation_has_no_json(capsys: Capture) -> None:
    assert main(["chat", "--json"]) == 2
    assert "--json needs a prompt" in one_line(capsys)


def test_ctrl_c(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("llmaas_client.cli.embed.connect", stop)
    assert main(["embed", "x"]) == 130
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("debug", [False, True])
def test_a_defect_is_one_line_too(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture, debug: bool
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("by zero")

    monkeypatch.setattr("llmaas_client.cli.embed.connect", fail)
    monkeypatch.setenv("LLMAAS_DEBUG", "1" if debug else "0")
    if debug:
        with pytest.raises(ZeroDivisionError):
            main(["embed", "x"])
        return
    assert main(["embed", "x"]) == 1
    assert "LLMAAS_DEBUG=1" in one_line(capsys)
