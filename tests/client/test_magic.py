"""The cell magic, with a shell made up and in a real kernel."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import llmaas_client
from llmaas_client import Client
from llmaas_client.magic import Magic, read
from support.http_server import HTTPServer, serving
from support.mapping import TaskServer


class Shell:
    """What the magic knows of IPython."""

    def __init__(self, **names: Any) -> None:
        self.user_ns: dict[str, Any] = names
        self.magics: dict[str, Magic] = {}

    def register_magic_function(self, function: Magic, kind: str, name: str) -> None:
        assert kind == "cell"
        self.magics[name] = function


@pytest.fixture
def server() -> Any:
    with serving(TaskServer().answer) as server:
        yield server


@pytest.fixture
def shell(server: HTTPServer) -> Any:
    with Client(server.url) as client:
        shell = Shell(client=client, moods=["positive", "negative"])
        llmaas_client.load_ipython_extension(shell)
        yield shell


def test_a_task_for_a_cell(shell: Shell, server: HTTPServer) -> None:
    magic = shell.magics["llmaas"]
    assert magic("classify labels=moods, threshold=0.1 + 0.1", "It is good.\n").label == "positive"
    assert server.requests[0].json == {
        "text": "It is good.",
        "labels": ["positive", "negative"],
        "threshold": 0.2,
    }
    assert magic("-o short summarize max_words=5", "Long.").summary == "Short Long.."
    assert shell.user_ns["short"].method == "extractive"
    assert magic("embed", "four").embedding == [4.0]


def test_another_client(shell: Shell, server: HTTPServer) -> None:
    shell.user_ns["other"] = shell.user_ns["client"].using(model="m")
    shell.magics["llmaas"]("-c other -o kept embed", "x")
    assert server.requests[0].json["model"] == "m"
    assert shell.user_ns["kept"].embedding == [1.0]
    with pytest.raises(ValueError, match="moods is no llmaas client"):
        shell.magics["llmaas"]("-c moods embed", "x")


def test_without_a_client_it_makes_one(server: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_BASE_URL", server.url)
    magic = Magic(Shell())
    assert magic("embed", "four").embedding == [4.0]
    magic("embed", "x")
    assert server.connections == 1
    magic.close()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", "nothing is no task"),
        ("translate", "translate is no task"),
        ("classify labels", "by name"),
        ("classify **moods", "by name"),
        ("classify labels=[", "no list of arguments"),
        ("-x y classify", "no option"),
        ("-o 1 classify", "no option"),
    ],
)
def test_lines_that_cannot_be_read(line: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read(line, {"moods": {}})


def test_names_that_are_not_there() -> None:
    with pytest.raises(NameError, match="nowhere"):
        read("classify labels=nowhere", {})
    with pytest.raises(ValueError, match="above a text"):
        Magic(Shell())("embed")


def test_ipython_is_never_loaded() -> None:
    code = (
        "import sys, llmaas_client.magic, llmaas_client.notebook as n;"
        "assert not n.in_notebook(); print('IPython' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


CELLS = [
    "%load_ext llmaas_client",
    "from llmaas_client import AsyncClient, Client\nclient = Client.local(backend='fake')\nclient",
    '%%llmaas classify labels=["good", "bad"]\nIt is good.',
    "%%llmaas -o story chat max_tokens=20\nOne two three four.",
    "story.text",
    "async with AsyncClient(client.base_url, client._config.key()) as later:\n"
    "    reply = await later.chat('Hello')\nreply",
    "out = client.classify.map(['x'] * 100, labels=['good', 'bad'], progress=True)\nout",
    "client.close()",
]


def test_in_a_kernel(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    nbclient.NotebookClient(notebook, timeout=120, kernel_name="python3").execute(cwd=tmp_path)
    html = [
        "".join(output.get("data", {}).get("text/html", "") for output in cell.outputs)
        for cell in notebook.cells
    ]
    assert "127.0.0.1" in html[1]
    assert "prefers-color-scheme" in html[2]
    assert "One two three four." in html[3]
    assert "bubble" in html[5]
    assert "<progress" in html[6]
    assert "100 values" in html[6]
    assert "script" not in "".join(html)
