"""What is built can be published, carries all its files, and works in a clean environment."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.serving import Serving, serving
from support.sources import SRC
from support.wheels import Environment, make_environment

CALL = """
from llmaas_client import Client

with Client() as client:
    print(client.classify("The screen is cracked.", labels=["complaint", "praise"]).model)
"""
PRESENT = "import importlib.util, sys; print([importlib.util.find_spec(n) for n in sys.argv[1:]])"


@pytest.fixture(scope="module")
def client_alone(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make_environment(tmp_path_factory.mktemp("client") / "venv", wheel)


@pytest.fixture(scope="module")
def with_server(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    return make_environment(tmp_path_factory.mktemp("server") / "venv", wheel, "server")


@pytest.fixture(scope="module")
def server(with_server: Environment, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("serving")
    flags = ("--backend", "fake")
    with serving(folder, folder / "cache", *flags, program=with_server.llmaas) as running:
        yield running


def test_the_package_can_be_published(built: Path) -> None:
    pytest.importorskip("twine", reason="twine is not installed (pip install 'llmaas[dev]')")
    done = subprocess.run(
        [sys.executable, "-m", "twine", "check", "--strict", *map(str, built.iterdir())],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_wheel_has_every_file_of_both_packages(wheel: Path) -> None:
    """Templates, pictures, scripts, sources of kernels, type markers: whatever lies in src."""
    files = {
        path.relative_to(SRC).as_posix()
        for path in SRC.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    names = set(zipfile.ZipFile(wheel).namelist())
    assert files - names == set()
    assert {"llmaas_client/py.typed", "llmaas_server/py.typed"} <= names
    assert any(name.startswith("llmaas_server/ui/templates/") for name in names)
    assert any(name.startswith("llmaas_server/ui/static/") for name in names)
    assert any(name.endswith(".dist-info/licenses/LICENSE") for name in names)


def test_the_wheel_has_nothing_else(wheel: Path) -> None:
    others = [
        name
        for name in zipfile.ZipFile(wheel).namelist()
        if not name.startswith(("llmaas_client/", "llmaas_server/", "llmaas-"))
    ]
    assert others == []


def test_the_sdist_has_what_contributors_need(built: Path) -> None:
    (path,) = built.glob("*.tar.gz")
    with tarfile.open(path) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    wanted = {"LICENSE", "README.md", "CHANGELOG.md", "CONTRIBUTING.md", "mkdocs.yml"}
    wanted |= {"pyproject.toml", "constraints.txt", "scripts/test", "scripts/environment"}
    assert wanted <= names


def test_the_client_works_without_the_server(client_alone: Environment) -> None:
    probe = [PRESENT, "torch", "starlette", "numpy"]
    assert client_alone.run(client_alone.python, "-c", *probe).stdout.strip() == str([None] * 3)
    done = client_alone.run(client_alone.python, "-c", "from llmaas_client import Client; Client()")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_command_works_without_the_server(client_alone: Environment) -> None:
    done = client_alone.run(client_alone.llmaas, "--help")
    assert done.returncode == 0, done.stderr
    assert "classify" in done.stdout


@pytest.mark.parametrize("command", ["up", "serve", "models", "doctor"])
def test_a_command_of_the_server_says_what_to_install(
    client_alone: Environment, command: str
) -> None:
    done = client_alone.run(client_alone.llmaas, command)
    assert done.returncode != 0
    assert "pip install 'llmaas[server]'" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_server_of_the_wheel_answers(
    client_alone: Environment, server: Serving, tmp_path: Path
) -> None:
    """Called by the client of the environment that has no server."""
    done = subprocess.run(
        [client_alone.python, "-c", CALL],
        cwd=tmp_path,
        env=server.environment | {"LLMAAS_API_KEY": server.key},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.stdout.strip() == "fake", done.stderr


def test_the_console_of_the_wheel_is_whole(server: Serving) -> None:
    page = read(server, "/console/sign-in")
    (style,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', page)
    assert "--" in read(server, style)


def read(server: Serving, path: str) -> str:
    with urllib.request.urlopen(server.base_url + path, timeout=30) as answer:
        return str(answer.read(), "utf-8")
