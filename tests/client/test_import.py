"""The one public door: everything is there, nothing is loaded before it is used."""

from __future__ import annotations

import ast
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

import llmaas_client
from llmaas_client.errors import LLMaaSError

HEAVY = ("httpx", "httpcore", "pydantic", "typer", "rich", "llmaas_server", "torch", "asyncio")


def loaded_by(code: str) -> set[str]:
    script = f"{code}\nimport sys\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True
    )
    return set(done.stdout.split())


def test_importing_loads_nothing() -> None:
    assert not loaded_by("import llmaas_client") & set(HEAVY)


def test_making_a_client_loads_nothing_either() -> None:
    loaded = loaded_by("from llmaas_client import AsyncClient, Client; Client(); AsyncClient()")
    assert not loaded & set(HEAVY)


def test_what_a_first_call_loads() -> None:
    code = """
from llmaas_client import Client, ConnectionFailed
client = Client("http://127.0.0.1:9", max_retries=0)
try:
    client.embed("x")
except ConnectionFailed:
    pass
"""
    loaded = loaded_by(code)
    assert "httpx" in loaded
    assert not loaded & {"typer", "llmaas_server", "torch", "asyncio", "llmaas_client.http.aio"}


def seconds(code: str) -> float:
    """Of the processor: nothing here waits for anything but the processor, and files in memory."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, "-c", code], timeout=60, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def test_a_client_is_ready_as_soon_as_its_libraries_are() -> None:
    """Measured in turns, so that what else the machine does weighs on both.

    What the first call loads beside them, the shapes of its task, is bounded, too.
    """
    ready, called, theirs = [], [], []
    for _ in range(5):
        ready.append(seconds("from llmaas_client import Client; Client()"))
        called.append(seconds("from llmaas_client import Client; Client().classify"))
        theirs.append(seconds("import httpx, pydantic"))
    assert median(ready) <= 1.2 * median(theirs), (ready, theirs)
    assert median(called) <= 1.5 * median(theirs), (called, theirs)


@pytest.mark.parametrize("name", llmaas_client.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(llmaas_client, name) is not None
    assert name in dir(llmaas_client)


def test_a_name_that_is_not_there() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        _ = llmaas_client.Nothing  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    tree = ast.parse(Path(llmaas_client.__file__).read_text("utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If))
    seen = {
        alias.asname or alias.name
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert seen | {"__version__"} == set(llmaas_client.__all__)


def test_every_error_is_public() -> None:
    from llmaas_client import errors

    classes = {
        name
        for name, item in vars(errors).items()
        if isinstance(item, type) and issubclass(item, LLMaaSError)
    }
    assert classes - set(llmaas_client.__all__) == set()
