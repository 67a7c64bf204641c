"""The notebooks run from top to bottom on the embedded models; and what a kernel alone shows."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from llmaas_server.models.store import Store
from support.serving import Serving, serving
from support.sources import ROOT

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
pytest.importorskip("ipykernel", reason="ipykernel is not installed")

if TYPE_CHECKING:
    from nbclient import NotebookClient

NOTEBOOKS = sorted((ROOT / "examples" / "notebooks").glob("*.ipynb"))
CELL_SECONDS = 120
RUNS = re.compile(r"<script|\son\w+=|javascript:|(src|href)=.?http", re.IGNORECASE)
"""What no picture may have."""


@pytest.fixture(scope="module")
def server(embedded_store: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("server"), embedded_store.cache) as running:
        yield running


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("fake")
    with serving(folder, folder / "cache", "--backend", "fake") as running:
        yield running


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """What kernels that are started in the block find."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(values)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def run(notebook: Any, server: Serving, folder: Path) -> list[str]:
    """Run all cells; what each shows, as HTML where it has that. Raises where a cell does."""
    values = server.environment | {"IPYTHONDIR": str(folder), "JUPYTER_RUNTIME_DIR": str(folder)}
    with environment(values):
        client: NotebookClient = nbclient.NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
        )
        client.execute()
    return [shown for cell in notebook.cells for shown in shown_by(cell)]


def shown_by(cell: Any) -> Iterator[str]:
    for output in cell.get("outputs", ()):
        data = output.get("data", {})
        yield data.get("text/html") or data.get("text/plain") or output.get("text", "")


def cells(*sources: str) -> Any:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(one) for one in sources])


def test_there_are_four() -> None:
    names = ["chat_and_tools", "classify_your_data", "long_documents", "quickstart"]
    assert [path.stem for path in NOTEBOOKS] == names


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_committed_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    for cell in notebook.cells:
        assert not cell.get("outputs"), "clear the outputs before a commit"
        assert cell.get("execution_count") is None


@pytest.mark.real_models
@pytest.mark.timeout(300)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, server: Serving, tmp_path: Path) -> None:
    shown = run(nbformat.read(path, as_version=4), server, tmp_path)
    pictures = [one for one in shown if one.lstrip().startswith("<")]
    assert pictures, "no result shows itself"
    for picture in pictures:
        assert not re.search(
            r"<script|\son\w+=|javascript:|(src|href)=.?http", picture, re.IGNORECASE
        )


def test_the_magic_and_await_work_in_a_kernel(fake: Serving, tmp_path: Path) -> None:
    shown = run(
        cells(
            "%load_ext llmaas_client",
            "%%llmaas -o found classify labels=['complaint', 'praise'], threshold=0.0\n"
            "The screen is cracked.",
            "found.label in ('complaint', 'praise')",
            "from llmaas_client import AsyncClient\n"
            "async with AsyncClient() as client:\n"
            "    reply = await client.chat('one two')\n"
            "reply.text",
        ),
        fake,
        tmp_path,
    )
    assert "True" in shown
    assert "'one two'" in shown


@pytest.mark.timeout(180)
def test_the_stop_button_ends_a_stream(fake: Serving, tmp_path: Path) -> None:
    """What came by then is kept, and the kernel goes on."""
    notebook = cells(
        "import os, signal, threading\n"
        "from llmaas_client import Client\n"
        "client = Client()\n"
        "threading.Timer(1.0, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "said = []\n"
        "try:\n"
        "    while True:  # the fake backend is quick: the interrupt comes while some stream runs\n"
        "        with client.chat.stream('word ' * 500) as stream:\n"
        "            for event in stream:\n"
        "                said.append(event)\n"
        "except KeyboardInterrupt:\n"
        "    stopped = True\n",
        "stopped and bool(said), client.chat('still here').text",
    )
    shown = run(notebook, fake, tmp_path)
    assert "(True, 'still here')" in shown[-1]
