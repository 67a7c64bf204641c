"""Other people's clients, unchanged, each in an environment of its own, against a live server.

`tests/compat_clients` has what they run. Where an environment cannot be built, the test is skipped
and says so; `scripts/clients` builds all of them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest

from llmaas_server.compat.openai.fields import IGNORED, ONLY, REFUSED
from llmaas_server.models.store import Store
from support.client_environments import NAMES, CannotBuildError, python_of
from support.pages import read_pages
from support.serving import Serving, serving
from support.sources import ROOT

SCRIPTS = ROOT / "tests" / "compat_clients"
CHAT, EMBED = "smollm2-135m-instruct-q4_1", "all-minilm-l6-v2"

CLIENTS = {
    "openai": "openai_client.py",
    "openai_2": "openai_client.py",
    "langchain": "langchain_client.py",
    "litellm": "litellm_client.py",
    "instructor": "instructor_client.py",
    "pydantic_ai": "pydantic_ai_client.py",
}
"""Environment -> what it runs."""

ON_REAL_MODELS = ("openai", "langchain")

BUILD_SECONDS = 100.0
RUN_SECONDS = 120.0

PAGE = next(page for page in read_pages() if page.name == "docs/how-to/other-clients.md")

Python = Callable[[str], Path]


@pytest.fixture(scope="module")
def python() -> Iterator[Python]:
    """The interpreter for a client; what is missing is built for all at once."""
    with ThreadPoolExecutor(len(NAMES)) as threads:
        builds: Mapping[str, Future[Path]] = {
            name: threads.submit(partial(python_of, name, BUILD_SECONDS)) for name in NAMES
        }

        def find(name: str) -> Path:
            try:
                return builds[name].result()
            except CannotBuildError as error:
                pytest.skip(f"its environment cannot be built: {error}")

        yield find


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("fake")
    with serving(folder, folder / "cache", "--backend", "fake") as server:
        yield server


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory, embedded_store: Store) -> Iterator[Serving]:
    with serving(tmp_path_factory.mktemp("real"), embedded_store.cache) as server:
        yield server


def environment(server: Serving, folder: Path) -> dict[str, str]:
    """A proxy or a key that somebody has set is none of its business."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "OPENAI_API_KEY": server.key,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks another server at its start
    }


def run(python: Path, name: str, server: Serving, folder: Path, *options: str) -> None:
    command = [str(python), str(SCRIPTS / CLIENTS[name]), f"{server.base_url}/v1", CHAT, EMBED]
    done = subprocess.run(
        [*command, *options],
        env=environment(server, folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"


def test_every_environment_is_used() -> None:
    assert sorted(CLIENTS) == NAMES


@pytest.mark.parametrize("name", CLIENTS)
def test_client(python: Python, fake: Serving, tmp_path: Path, name: str) -> None:
    run(python(name), name, fake, tmp_path, "--fake")


@pytest.mark.parametrize("package", ["openai", "langchain", "litellm", "instructor", "pydantic_ai"])
def test_the_page_about_it(python: Python, fake: Serving, tmp_path: Path, package: str) -> None:
    """Its block in docs/how-to/other-clients.md; only the address is another one."""
    (block,) = (one for one in PAGE.code("py") if one.text.split()[1].startswith(package))
    code = block.text.replace("http://127.0.0.1:8000", fake.base_url)
    done = subprocess.run(
        [str(python(package)), "-c", code],
        env=environment(fake, tmp_path),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=RUN_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize("name", [*IGNORED, *ONLY, *REFUSED])
def test_the_page_names_every_parameter(name: str) -> None:
    assert f"`{name}`" in PAGE.text


@pytest.mark.real_models
@pytest.mark.parametrize("name", ON_REAL_MODELS)
def test_client_on_real_models(python: Python, real: Serving, tmp_path: Path, name: str) -> None:
    run(python(name), name, real, tmp_path)


def test_the_newest_openai_has_decisions(python: Python, tmp_path: Path) -> None:
    """`/v1/decisions` has its shape from there; before version 3 there was none."""
    code = "import openai; print(hasattr(openai.OpenAI, 'decisions'))"
    said = {
        name: subprocess.check_output([python(name), "-c", code], text=True, cwd=tmp_path).strip()
        for name in ("openai", "openai_2")
    }
    assert said == {"openai": "True", "openai_2": "False"}
