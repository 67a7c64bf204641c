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

# Example -> its arguments, and what its output has in it when the fake backend answers.
RUNS: dict[str, tuple[list[str], str]] = {
    "async_client.py": ([], r"(?s)(complaint|praise|question): The screen.*: Works.*: Does it"),
    "own_labels.py": ([], r"(?m)^(billing|delivery|account|unsure) +\d\.\d\d  The parcel never"),
    "quickstart.py": ([], r"(?s)Classify:.*  complaint.*\[fake, .*Summarize .*Chat:.*\[fake, "),
    "similar_texts.py": ([], r"(?m)^ ?-?\d\.\d\d  Refunds take"),
    "stream_chat.py": (["One two three."], r"One two three\.\n\[3 tokens, ended by stop\]"),
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


@pytest.mark.parametrize("example", RUNS)
def test_example_is_short_and_says_what_it_shows(example: str) -> None:
    text = (EXAMPLES / example).read_text("utf-8")
    assert text.startswith('"""')
    assert len(text.splitlines()) <= MOST_LINES
