"""`llmaas evaluate` as a user types it."""

from __future__ import annotations

import io
import json
import os
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from llmaas_client.cli import main
from support import answers
from support.http_server import Exchange, HTTPServer, serving
from support.judging import handler

Capture = pytest.CaptureFixture[str]


def judge(text: str) -> Mapping[str, float]:
    good = 0.8 if "good" in text else 0.3
    good -= 0.4 if "she" in text.split() else 0.0
    return {"positive": good, "negative": 1 - good}


def summarize(exchange: Exchange) -> None:
    exchange.answer(answers.summarize(exchange.json["text"].split(". ")[0]))


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    classify = handler(judge)

    def handle(exchange: Exchange) -> None:
        (summarize if exchange.path.endswith("summarize") else classify)(exchange)

    with serving(handle) as server:
        monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
        yield server


@pytest.fixture
def reviews(tmp_path: Path) -> Path:
    file = tmp_path / "reviews.csv"
    rows = [f"a good one {n},positive" for n in range(12)] + [
        f"a bad {n},negative" for n in range(8)
    ]
    file.write_text("\n".join(["text,label", *rows, "he is good,positive"]))
    return file


def told(requests: list[Exchange]) -> set[str]:
    return {text for request in requests for text in request.json["text"]}


def test_classify(server: HTTPServer, reviews: Path, tmp_path: Path, capsys: Capture) -> None:
    out = tmp_path / "report"
    words = ["evaluate", "classify", str(reviews), "--labels", "positive,negative"]
    assert main([*words, "--batch", "4", "--out", str(out)]) == 0
    shown = capsys.readouterr()
    assert "21 rows, answered by tiny" in shown.out
    assert "accuracy" in shown.out
    assert "always 'positive', the most frequent" in shown.out
    assert shown.err.startswith("wrote ")
    assert {request.json["labels"][0] for request in server.requests} == {"positive"}
    assert max(len(request.json["text"]) for request in server.requests) == 4
    lines = (out / "predictions.jsonl").read_text("utf-8").splitlines()
    assert json.loads(lines[0]) == {
        "where": "row 1 (line 2) of reviews.csv",
        "text": "a good one 0",
        "truth": "positive",
        "label": "positive",
        "score": 0.8,
        "abstained": False,
    }
    assert len(lines) == 21
    assert (out / "report.html").exists()


def test_json(server: HTTPServer, reviews: Path, capsys: Capture) -> None:
    assert main(["evaluate", "classify", str(reviews), "--file-labels", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["accuracy"]["value"] == 1.0
    assert server.requests[0].json["labels"] == ["negative", "positive"]


def test_labels_by_other_names_and_in_other_columns(
    server: HTTPServer, tmp_path: Path, capsys: Capture
) -> None:
    file = tmp_path / "a.jsonl"
    file.write_text('{"body": "good", "stars": 1}\n{"body": "bad", "stars": 0}\n')
    columns = ["--text-column", "body", "--label-column", "stars", "--json"]
    names = ["--rename", "1=positive", "--rename", "0=negative"]
    assert main(["evaluate", "classify", str(file), *columns, *names]) == 0
    assert json.loads(capsys.readouterr().out)["labels"] == ["negative", "positive"]
    assert "labels" not in server.requests[0].json


def test_descriptions_and_abstention(server: HTTPServer, reviews: Path, capsys: Capture) -> None:
    labels = ["--label", "positive=praise", "--label", "negative=blame"]
    words = ["evaluate", "classify", str(reviews), *labels, "--threshold", "0.75", "--json"]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["coverage"]["value"] == pytest.approx(13 / 21)
    assert server.requests[0].json["labels"] == {"positive": "praise", "negative": "blame"}


def test_standard_input(
    server: HTTPServer, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    data = io.BytesIO(b"text,label\ngood,positive\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(data, "utf-8"))
    assert main(["evaluate", "classify", "-", "--labels", "positive,negative", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == 1


def test_a_sample_is_the_same_for_the_same_seed(
    server: HTTPServer, reviews: Path, capsys: Capture
) -> None:
    asked = []
    for seed in ("1", "1", "2"):
        server.requests.clear()
        words = ["evaluate", "classify", str(reviews), "--limit", "5", "--seed", seed]
        assert main([*words, "--labels", "positive,negative"]) == 0
        asked.append(told(server.requests))
    assert asked[0] == asked[1] != asked[2]
    assert len(asked[0]) == 5


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (
            "txt,label\na,b\n",
            [],
            "error: a.csv has no column 'text'. Those there are: 'txt', 'label'.",
        ),
        ("", [], "error: a.csv is empty"),
        ("text,label\na,\n", [], "error: row 1 (line 2) of a.csv has no label: 'label' is empty"),
        ("text,label\n,b\n", [], "error: row 1 (line 2) of a.csv: 'text' is empty"),
        (
            "text,label\na,x\nb,y\nc,z\n",
            ["--labels", "x,y"],
            "error: row 3 (line 4) of a.csv has the label 'z', which no answer can be. The labels "
            "to choose from are 'x', 'y'.",
        ),
        (
            "text,label\na,x\n",
            ["--labels", "x,y", "--file-labels"],
            "error: --labels, --file-labels",
        ),
        ("text,label\na,x\n", ["--rename", "x"], "error: --rename 'x' is not FROM=TO"),
    ],
)
def test_files_that_cannot_be_used(
    server: HTTPServer, tmp_path: Path, capsys: Capture, content: str, more: list[str], message: str
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(content)
    assert main(["evaluate", "classify", str(file), *more]) == 2
    assert capsys.readouterr().err.startswith(message)
    assert not server.requests


def test_a_folder_that_is_none(server: HTTPServer, reviews: Path, capsys: Capture) -> None:
    words = ["evaluate", "classify", str(reviews), "--labels", "positive,negative"]
    assert main([*words, "--out", str(reviews)]) == 2
    assert "is no folder" in capsys.readouterr().err
    assert not server.requests


def test_an_error_says_how_far_it_came(
    reviews: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    answer = handler(judge)

    def handle(exchange: Exchange) -> None:
        if len(exchange.json["text"]) == 1:  # the last batch
            exchange.answer(answers.error("not_allowed"), "403 Forbidden")
        else:
            answer(exchange)

    with serving(handle) as server:
        monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
        words = ["evaluate", "classify", str(reviews), "--file-labels", "--batch", "10"]
        assert main(words) == 4
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "20 of 21 rows were done"
    assert lines[1].startswith("error: ")


def test_ctrl_c_shows_what_there_is(
    reviews: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    answer = handler(judge)
    stop = threading.Event()

    def handle(exchange: Exchange) -> None:
        if exchange.json["text"][0].startswith("a bad 7"):  # the last batch but those after it
            os.kill(os.getpid(), signal.SIGINT)
            stop.wait(10)
        answer(exchange)

    out = tmp_path / "report"
    with serving(handle) as server:
        monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
        words = ["evaluate", "classify", str(reviews), "--labels", "positive,negative"]
        assert main([*words, "--batch", "1", "--concurrency", "1", "--out", str(out)]) == 130
        stop.set()
    shown = capsys.readouterr()
    assert "interrupted: 19 of 21 rows were done" in shown.err
    assert "Interrupted: these are the rows" in shown.out
    assert (out / "report.json").exists()
    assert len((out / "predictions.jsonl").read_text("utf-8").splitlines()) == 19


def test_summarize(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("rouge_score")
    file = tmp_path / "papers.jsonl"
    row = {"body": "We bake. It is hot.", "short": ["We bake", "Baking"], "more": "Bread"}
    file.write_text(f"{json.dumps(row)}\n" * 3)
    words = ["evaluate", "summarize", str(file), "--text-column", "body", "--json"]
    columns = ["--reference-column", "short", "--reference-column", "more"]
    assert main([*words, *columns, "--length", "short", "--focus", "bread"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["systems"][0]["rouge1"]["value"] == 1.0
    assert found["several_references"] == 3
    assert server.requests[0].json == {
        "text": "We bake. It is hot.",
        "length": "short",
        "focus": "bread",
    }


def test_a_focus_for_each_row(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    pytest.importorskip("rouge_score")
    file = tmp_path / "meetings.csv"
    file.write_text("text,reference,question\nWe bake.,We bake,bread?\nWe sell.,We sell,price?\n")
    words = ["evaluate", "summarize", str(file), "--strict", "--focus-column", "question"]
    assert main([*words, "--concurrency", "1"]) == 0
    assert [request.json["focus"] for request in server.requests] == ["bread?", "price?"]
    assert server.requests[0].json["strict"] is True
    assert "ROUGE-Lsum" in capsys.readouterr().out


def test_summarize_needs_references(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "papers.jsonl"
    file.write_text('{"text": "a", "reference": []}\n')
    assert main(["evaluate", "summarize", str(file)]) == 2
    assert "row 1 of papers.jsonl has no" in capsys.readouterr().err


def test_fairness(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "people.csv"
    file.write_text("text,label\n" + "".join(f"he is good {n},yes\n" for n in range(12)))
    out = tmp_path / "report"
    words = ["evaluate", "fairness", str(file), "--labels", "positive,negative"]
    more = ["--positive", "positive", "--label-column", "label", "--positive-in-file", "yes"]
    assert main([*words, *more, "--group", "gender", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert "12 rows were classified, with their variants 24 texts" in shown
    found = json.loads((out / "report.json").read_text("utf-8"))
    (group,) = found["groups"]
    assert group["flipped"]["value"] == 1.0
    assert found["subgroups"]["positives"] == 12
    assert (out / "flips.svg").exists()


def test_fairness_with_words_of_ones_own(
    server: HTTPServer, tmp_path: Path, capsys: Capture
) -> None:
    file, swaps = tmp_path / "people.csv", tmp_path / "swaps.toml"
    file.write_text("text\nhe is good\na good intern\n")
    swaps.write_text('[rank]\nidentities = ["low", "high"]\nforms = [["intern", "boss"]]\n')
    words = ["evaluate", "fairness", str(file), "--positive", "positive", "--json"]
    assert main([*words, "--swap", "he=they", "--swaps", str(swaps)]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [group["group"] for group in found["groups"]] == ["own", "rank"]
    assert told(server.requests) == {"he is good", "they is good", "a good intern", "a good boss"}


def test_fairness_of_versions(server: HTTPServer, tmp_path: Path, capsys: Capture) -> None:
    file = tmp_path / "people.csv"
    rows = [f"{word} is good,{n},{word}" for n in range(10) for word in ("he", "she")]
    file.write_text("\n".join(["text,of,who", *rows]))
    columns = ["--version-column", "of", "--identity-column", "who"]
    words = ["evaluate", "fairness", str(file), "--positive", "positive", "--json"]
    assert main([*words, *columns]) == 0
    (group,) = json.loads(capsys.readouterr().out)["groups"]
    assert [one["target"] for one in group["targets"]] == ["she"]
    assert group["targets"][0]["gap"]["value"] == pytest.approx(-0.4)


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (["--group", "sex"], "error: there is no group 'sex'. There are gender"),
        (["--swap", "he"], "error: 'he' is no swap"),
        (["--version-column", "text"], "error: --version-column and --identity-column go together"),
        (["--label-column", "label"], "error: no row has the label 'positive' (there are 'yes')"),
        (["--labels", "a,b"], "error: the positive label 'positive' is none that an answer can be"),
        (["--term", " "], "error: a term is empty"),
    ],
)
def test_fairness_that_cannot_be(
    server: HTTPServer, tmp_path: Path, capsys: Capture, more: list[str], message: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text("text,label\nhe is good,yes\n")
    assert main(["evaluate", "fairness", str(file), "--positive", "positive", *more]) == 2
    assert capsys.readouterr().err.splitlines()[-1].startswith(message)
    assert not server.requests
