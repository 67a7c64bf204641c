"""`llmaas bench` as a user types it."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from llmaas_client.cli import main
from support.http_server import Exchange, serving
from support.openai_server import OpenAIServer

Capture = pytest.CaptureFixture[str]
SMALL = ["--output-tokens", "3", "--prompt-tokens", "20", "--requests", "4", "--warmup", "0"]


def test_a_table_and_what_it_rests_on(capsys: Capture) -> None:
    with serving(OpenAIServer()) as server:
        assert main(["bench", "--base-url", server.url, "--concurrency", "1,2", *SMALL]) == 0
        out = capsys.readouterr().out
        assert f"{server.url} (openai), chat, words, seed " in out
    assert "1 client" in out
    assert "2 clients" in out
    assert "out tok/s" in out
    assert "A request has 20 prompt tokens, its answer 3 (medians)." in out


NAMED = {"id": "words", "object": "model", "kernels": "native int8", "quantization": "auto"}


def test_what_computes_is_named_where_the_server_tells(capsys: Capture) -> None:
    words = ["--concurrency", "1", *SMALL]
    with serving(OpenAIServer(model=NAMED)) as server:
        assert main(["bench", "--base-url", server.url, *words]) == 0
        assert "Computed by native int8 (quantization auto)." in capsys.readouterr().out
        assert main(["bench", "--base-url", server.url, "--json", *words]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["kernels"], found["quantization"]) == ("native int8", "auto")


def test_json(capsys: Capture) -> None:
    with serving(OpenAIServer()) as server:
        words = ["bench", "--base-url", f"{server.url}/v1", "--rate", "50", "--json", "--seed", "7"]
        assert main([*words, *SMALL]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["api"], found["model"], found["seed"]) == ("openai", "words", "7")
    (load,) = found["loads"]
    assert (load["rate"], load["requests"], load["failed"]) == (50.0, 4, 0)
    assert load["output_tokens"] == 3
    assert load["first_token_ms"]["p50"] <= load["latency_ms"]["p50"]


def test_prompts_of_a_file_and_fields_of_ones_own(tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "prompts.jsonl"
    file.write_text('"first"\n{"prompt": "second"}\n')
    with serving(OpenAIServer()) as server:
        words = ["bench", "--base-url", server.url, "--concurrency", "1", "--no-ignore-eos"]
        extra = ["--prompts", str(file), "--extra", '{"top_k": 1}', "--model", "m"]
        assert main([*words, *SMALL, *extra]) == 0
    sent = [request.json for request in server.requests if request.body]
    said = [body["messages"][0]["content"] for body in sent]
    assert said == ["first", "second", "first", "second"]
    assert all(body["top_k"] == 1 and body["model"] == "m" for body in sent)
    assert not any("ignore_eos" in body for body in sent)


def test_a_server_that_fails_is_no_success(capsys: Capture) -> None:
    answer = OpenAIServer()

    def handle(exchange: Exchange) -> None:
        if exchange.number > 5:
            exchange.answer({"error": {"code": "overloaded", "message": "full"}}, "503 Busy")
        else:
            answer(exchange)

    with serving(handle) as server:
        assert main(["bench", "--base-url", server.url, "--concurrency", "1", *SMALL]) == 0
        assert "1 client: 3 x overloaded: full" in capsys.readouterr().out
        server.handler = lambda exchange: exchange.answer(
            {"error": {"code": "overloaded", "message": "full"}}, "503 Busy"
        )
        words = ["bench", "--base-url", server.url, "--concurrency", "1", "--model", "m"]
        assert main([*words, *SMALL]) == 1
        assert "overloaded: full" in capsys.readouterr().err


def test_ctrl_c_shows_what_there_is(request: pytest.FixtureRequest, capsys: Capture) -> None:
    answer = OpenAIServer()
    chats = 0

    def handle(exchange: Exchange) -> None:
        nonlocal chats
        chats += exchange.path.endswith("completions")
        if chats == 5:  # two to fit the prompts, then two that are counted
            os.kill(os.getpid(), signal.SIGINT)
            exchange.wait_for_close()
            exchange.hang_up()
        else:
            answer(exchange)

    assert threading.current_thread() is threading.main_thread()
    # Where the tests run in the background of a shell, Ctrl-C was ignored from the start.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    request.addfinalizer(lambda: signal.signal(signal.SIGINT, before))
    with serving(handle) as server:
        assert main(["bench", "--base-url", server.url, "--concurrency", "1", *SMALL]) == 130
    out = capsys.readouterr().out
    assert "1 client: interrupted with 1 requests under way." in out
    assert "its answer 3" in out


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--concurrency", "0"], "numbers above 0"),
        (["--concurrency", "many"], "numbers with commas"),
        (["--concurrency", "5000"], "at most 1024"),
        (["--rate", "inf"], "numbers above 0"),
        (["--rate", "1", "--concurrency", "1"], "two kinds of load"),
        (["--extra", "[]"], "a JSON object"),
        (["--prompts", "nowhere.jsonl"], "cannot read nowhere.jsonl"),
        (["--plot", "figure.pdf"], ".png or .svg"),
        (["--plot", "nowhere/figure.svg"], "no folder"),
        (["--requests", "0"], "--requests"),
    ],
)
def test_wrong_usage(words: list[str], complaint: str, capsys: Capture) -> None:
    assert main(["bench", *words]) == 2
    err = capsys.readouterr().err
    assert complaint in err
    assert len(err.splitlines()) == 1


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_a_plot(name: str, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("matplotlib", reason="pip install 'llmaas[bench]'")
    file = tmp_path / name
    with serving(OpenAIServer()) as server:
        words = ["bench", "--base-url", server.url, "--concurrency", "1,2", "--plot", str(file)]
        assert main([*words, *SMALL]) == 0
    assert file.read_bytes().startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")


def test_a_plot_without_matplotlib(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    assert main(["bench", "--plot", "plot.svg"]) == 2
    assert "pip install 'llmaas[bench]'" in capsys.readouterr().err
