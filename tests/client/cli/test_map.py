"""`llmaas map` as a user types it."""

from __future__ import annotations

import csv
import json
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.cli import main
from support import answers
from support.http_server import Exchange, serving
from support.mapping import TaskServer, refusal, texts_of

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskServer]:
    tasks = TaskServer()
    with serving(tasks.answer) as http:
        monkeypatch.setenv("LLMAAS_BASE_URL", http.url)
        yield tasks


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "reviews.csv"
    file.write_text(
        "id,text\n" + "".join(f"{n},{'good' if n % 2 else 'bad'} {n}\n" for n in range(6))
    )
    return file


def classify(file: Path, out: Path, *more: str) -> int:
    words = ["map", str(file), "--task", "classify", "--labels", "positive,negative"]
    return main([*words, "-o", str(out), *more])


def csv_rows(path: Path) -> list[dict[str, Any]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def json_rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_csv_to_csv(server: TaskServer, reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "out.csv"
    assert classify(reviews, out) == 0
    rows = csv_rows(out)
    assert [row["id"] for row in rows] == [str(n) for n in range(6)]
    assert [row["label"] for row in rows] == ["negative", "positive"] * 3
    assert {row["error"] for row in rows} == {""}
    assert "wrote 6 rows" in capsys.readouterr().out
    assert not out.with_name("out.csv.checkpoint").exists()


def test_chosen_columns(server: TaskServer, reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.jsonl"
    assert classify(reviews, out, "--keep", "id", "--prefix", "my_") == 0
    first = json_rows(out)[0]
    assert first["id"] == "0"
    assert "text" not in first
    assert first["my_label"] == "negative"
    assert all(name == "id" or name.startswith("my_") for name in first)


def test_summaries_of_json_lines(server: TaskServer, tmp_path: Path) -> None:
    file, out = tmp_path / "in.jsonl", tmp_path / "out.jsonl"
    file.write_text('{"body": "A", "n": 1}\n{"body": "B", "n": 2}\n')
    words = ["map", str(file), "--task", "summarize", "--column", "body", "-o", str(out)]
    assert main([*words, "--length", "short"]) == 0
    assert [(row["n"], row["summary"]) for row in json_rows(out)] == [
        (1, "Short A."),
        (2, "Short B."),
    ]


def test_chat(server: TaskServer, reviews: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    words = ["map", str(reviews), "--task", "chat", "--system", "Be kind.", "-o", str(out)]
    assert main(words) == 0
    first = csv_rows(out)[0]
    assert (first["text"], first["reply"], first["error"]) == ("bad 0", "You said bad 0", "")


def test_errors_are_rows_and_are_worked_on_again(
    server: TaskServer, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    def refuse(exchange: Exchange, number: int) -> bool:
        if not any("3" in text for text in texts_of(exchange)):
            return False
        exchange.answer(answers.error("context_overflow"), "413 Too Large")
        return True

    server.refuse = refuse
    out = tmp_path / "out.csv"
    assert classify(reviews, out) == 1
    failed = [row for row in csv_rows(out) if row["error"]]
    assert [(row["id"], row["label"]) for row in failed] == [("3", "")]
    assert "1 with an error" in capsys.readouterr().out

    server.refuse, server.texts = lambda exchange, number: False, []
    assert classify(reviews, out) == 0
    assert server.texts == ["good 3"]
    assert [row["error"] for row in csv_rows(out)] == [""] * 6


def test_interrupt_keeps_what_is_done(
    server: TaskServer, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    def wait(texts: list[str]) -> None:
        if "good 3" in texts:
            os.kill(os.getpid(), signal.SIGINT)

    server.wait = wait
    out = tmp_path / "out.jsonl"
    steps = ("--batch-size", "1", "--concurrency", "1")
    assert classify(reviews, out, *steps) == 130
    done = len(json_rows(out))
    assert 3 <= done < 6
    assert f"{done} of 6 rows are in {out}; the same command goes on" in capsys.readouterr().err

    server.wait = lambda texts: None
    server.texts.clear()
    assert classify(reviews, out, *steps) == 0
    assert len(json_rows(out)) == 6
    # The one that was under way may be asked for once more.
    assert not {"bad 0", "good 1", "bad 2"} & set(server.texts)
    assert {"bad 4", "good 5"} <= set(server.texts)


def test_a_server_that_refuses_the_rest(
    server: TaskServer, reviews: Path, tmp_path: Path, capsys: Capture
) -> None:
    server.refuse = lambda exchange, number: (
        number > 2 and refusal(exchange, "invalid_key", "401 Unauthorized")
    )
    out = tmp_path / "out.jsonl"
    assert classify(reviews, out, "--batch-size", "1", "--concurrency", "1") == 4
    assert len(json_rows(out)) == 2
    shown = capsys.readouterr().err
    assert "2 of 6 rows" in shown
    assert "error:" in shown


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (["-o", "{dir}/out.xlsx"], "end it with .csv, .jsonl or .parquet"),
        (["-o", "{dir}/none/out.csv"], "no folder"),
        (["-o", "{dir}/reviews.csv"], "the file that is read"),
        (["-o", "{dir}/there.csv"], "--force"),
        (["-o", "{dir}/out.csv", "--column", "body"], "'body'"),
        (["-o", "{dir}/out.csv", "--keep", "colour"], "'colour'"),
        (["-o", "{dir}/out.csv", "--max-words", "3"], "--max-words is for --task summarize"),
        (["-o", "{dir}/out.csv", "--checkpoint", "{dir}/out.csv"], "--checkpoint"),
    ],
)
def test_wrong_words(
    server: TaskServer, reviews: Path, more: list[str], told: str, capsys: Capture
) -> None:
    there = reviews.with_name("there.csv")
    there.write_text("mine")
    words = ["map", str(reviews), "--task", "classify", "--labels", "a,b"]
    assert main([*words, *(word.format(dir=reviews.parent) for word in more)]) == 2
    assert told in capsys.readouterr().err
    assert there.read_text() == "mine"
    assert server.requests == 0


def test_columns_that_meet(server: TaskServer, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "in.csv"
    file.write_text("text,label\ngood,a\n")
    assert classify(file, tmp_path / "out.csv") == 2
    assert "--prefix classify_" in capsys.readouterr().err
    assert classify(file, tmp_path / "out.csv", "--prefix", "classify_") == 0
    assert csv_rows(tmp_path / "out.csv")[0]["label"] == "a"


def test_parquet(server: TaskServer, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    arrow = pytest.importorskip("pyarrow")
    file, out = tmp_path / "in.parquet", tmp_path / "out.parquet"
    parquet.write_table(arrow.table({"text": ["good", "bad"], "n": [1, 2]}), file)
    assert classify(file, out) == 0
    rows = parquet.read_table(out).to_pylist()
    assert [(row["n"], row["label"]) for row in rows] == [(1, "positive"), (2, "negative")]
    file.write_text("text\n")
    assert classify(file, out, "--force") == 2


@pytest.mark.parametrize("out", ["out.parquet", "out.csv"])
def test_parquet_without_pyarrow(
    server: TaskServer,
    reviews: Path,
    out: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: Capture,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    file = reviews.with_name("in.parquet") if out == "out.csv" else reviews
    assert classify(file, reviews.with_name(out)) == 2
    assert "pip install pyarrow" in capsys.readouterr().err
    assert server.requests == 0
