"""Every example runs against a real server, and prints what it promises."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_server.models.store import Store
from support.serving import Serving, serving
from support.sources import ROOT

EXAMPLES = ROOT / "examples"
MOST_LINES = 40
SCENES = {"support_bot.py", "news_topics.py", "papers.py", "chinese.py"}
"""Whole programs, with texts of their own: longer than the others may be."""
MOST_LINES_OF_A_SCENE = 130

# Example -> its arguments, and what its output has in it when the fake backend answers.
RUNS: dict[str, tuple[list[str], str]] = {
    "async_client.py": ([], r"(?s)(complaint|praise|question): The screen.*: Works.*: Does it"),
    "chinese.py": (
        [],
        r"(?s)characters at most.*市图书馆.*\(0-\d+\).*(好评|差评) 0\.\d\d  服务太差了",
    ),
    "news_topics.py": (
        [],
        r"(?s)By labels alone.*The striker.*By 32 examples, \d+% .*The striker.*Mood:.*joy",
    ),
    "own_labels.py": ([], r"(?m)^(billing|delivery|account|unsure) +\d\.\d\d  The parcel never"),
    "papers.py": ([], r"(?s)In two sentences:.*paper 1, 0-\d+: Honeybees.*limits.*Both papers"),
    "quickstart.py": ([], r"(?s)Classify:.*  complaint.*\[fake, .*Summarize .*Chat:.*\[fake, "),
    "similar_texts.py": ([], r"(?m)^ ?-?\d\.\d\d  Refunds take"),
    "stream_chat.py": (["One two three."], r"One two three\.\n\[3 tokens, ended by stop\]"),
    "support_bot.py": ([], r"(?s)cover the bulb\?\n  .*order 4471\?\n  .*tonight\?\n  "),
    "summarize_file.py": (["report.txt"], r"- The roof is new\.  \(line 2\)"),
}
REPORT = "The library opens again.\nThe roof is new.\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, folder / "cache", "--backend", "fake") as server:
        yield server


def run(server: Serving, example: str, arguments: list[str], folder: Path) -> str:
    (folder / "report.txt").write_text(REPORT)
    done = subprocess.run(
        [sys.executable, EXAMPLES / example, *arguments],
        cwd=folder,
        env=server.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(RUNS)


@pytest.mark.parametrize("example", RUNS)
def test_example(server: Serving, example: str, tmp_path: Path) -> None:
    arguments, expected = RUNS[example]
    output = run(server, example, arguments, tmp_path)
    assert re.search(expected, output), output


@pytest.mark.real_models
def test_quickstart_on_real_models(embedded_store: Store, tmp_path: Path) -> None:
    with serving(tmp_path, embedded_store.cache) as server:
        output = run(server, "quickstart.py", [], tmp_path)
    classified, summarized, answered = re.split(r"\n\n", output.strip())
    assert re.search(r"\n  \d\.\d\d  complaint\n", classified.partition("praise")[0]), output
    assert re.search(r"\n  \w.*\n  \[all-minilm-l6-v2, \d+ ms\]", summarized), output
    assert re.search(r"(?s)\n  \w.*\n  \[smollm2-135m-instruct-q4_1, \d+ ms\]", answered), output


REAL = {
    "support_bot.py": r"(?s)cover the bulb\?\n  .*\[warranty \d+-.*Aurora\?\n  .*\[aurora \d+-"
    r".*order 4471\?\n  It left our warehouse on Monday.*number of your order\.\n.*colleague\.",
    "news_topics.py": r"(?s)By labels alone.*sport .*politics .*business .*science .*unsure .*Stir"
    r".*at most 15 % .*sport .*politics .*business .*science .*unsure .*Stir"
    r".*positive .*joy.*negative .*dull",
    "papers.py": r"(?s)In two sentences.*\[extractive, \d+ words, 100% was read\]"
    r".*limits.*The main limit of the study.*Both papers.*paper 1, .*paper 2, .*\[abstractive",
    "chinese.py": r"(?s)! unread_text: all-minilm-l6-v2 cannot read text: 100%.*paraphrase-multi"
    r".*\[\d+ characters, 100% of the text was read\].*warnings: 1",
}


@pytest.mark.real_models
def test_scenes_on_real_models(embedded_store: Store, tmp_path: Path) -> None:
    with serving(tmp_path, embedded_store.cache) as server:
        for example, expected in REAL.items():
            output = run(server, example, [], tmp_path)
            assert re.search(expected, output), output


@pytest.mark.parametrize("example", RUNS)
def test_example_is_short_and_says_what_it_shows(example: str) -> None:
    text = (EXAMPLES / example).read_text("utf-8")
    assert text.startswith('"""')
    most = MOST_LINES_OF_A_SCENE if example in SCENES else MOST_LINES
    assert len(text.splitlines()) <= most
