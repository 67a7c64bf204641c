"""The files of docs/deploy: read by the programs they are for, and their commands run."""

from __future__ import annotations

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from llmaas_client import Client
from llmaas_server.models.catalogue import load
from llmaas_server.settings import Settings
from support.containers import environment, named, read_dockerfile
from support.pages import DOCS, Page
from support.serving import Serving, hermetic, serving
from support.sources import ROOT
from support.wheels import link, needed

DEPLOY = DOCS / "deploy"
BUILD, FINAL = read_dockerfile(DEPLOY / "Dockerfile")
LLMAAS = Path(sys.executable).with_name("llmaas")


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, capture_output=True, text=True, timeout=170, check=False, **options
    )


def tool(name: str) -> str:
    """A program of the extra `lint`."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed (pip install 'llmaas[lint]')")
    return str(path)


def program(name: str) -> str:
    """A program of the system; those of administrators may not be on the PATH."""
    found = shutil.which(name, path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# Containers


def test_the_linter_of_dockerfiles_finds_nothing() -> None:
    done = run(tool("hadolint"), "--no-color", DEPLOY / "Dockerfile")
    assert (done.returncode, done.stdout) == (0, "")


def test_the_linter_would_find_something(tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text("FROM debian\nRUN cd /tmp\n", "utf-8")
    assert run(tool("hadolint"), tmp_path / "Dockerfile").returncode != 0


def test_the_compose_file_is_one() -> None:
    done = run(
        tool("check-jsonschema"),
        "--builtin-schema",
        "vendor.compose-spec",
        DEPLOY / "compose.yaml",
    )
    assert done.returncode == 0, done.stdout


def test_the_compose_file_names_what_is_there() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    services, build = compose["services"], compose["services"]["server"]["build"]
    assert ((DEPLOY / build["context"]).resolve() / build["dockerfile"]).is_file()
    mounted = {
        volume.split(":")[0] for service in services.values() for volume in service["volumes"]
    }
    assert {name for name in mounted if not name.startswith("./")} == set(compose["volumes"])
    assert (DEPLOY / "nginx.conf").is_file()
    assert "./nginx.conf" in mounted
    for service in services.values():
        assert service.get("depends_on", {}).keys() <= services.keys()


def test_the_compose_file_sets_settings_that_exist() -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML is not installed")
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    values = compose["services"]["server"]["environment"] | {
        "LLMAAS_ALLOWED_HOSTS": "llm.example.org"
    }
    done = run(LLMAAS, "config", "show", "--json", env=hermetic() | values)
    assert done.returncode == 0, done.stderr
    shown = json.loads(done.stdout)
    assert shown["behind_proxy"]["value"] == ["127.0.0.1/32"]
    assert shown["host"]["value"] == "127.0.0.1"


def test_the_image_is_made_of_what_is_there() -> None:
    ignored = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    sources = [word for one in named(BUILD, "COPY") for word in one.text.split()[:-1]]
    for source in sources:
        assert (ROOT / source).exists()
        assert f"!{source}" in ignored


def test_the_image_has_the_embedded_models() -> None:
    (pulls,) = (one.text for one in named(FINAL, "RUN") if "models pull" in one.text)
    names = {words.split()[-1] for words in pulls.split("&&")}
    assert names == {entry.name for entry in load().model if entry.embedded}


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the first stage was built: what it copies, and what its commands make.

    pip finds what the project needs in links to this environment, and looks nowhere else.
    """
    folder = tmp_path_factory.mktemp("image")
    source, links = folder / "src", folder / "links"
    source.mkdir()
    links.mkdir()
    for one in named(BUILD, "COPY"):
        for name in one.text.split()[:-1]:
            if (ROOT / name).is_dir():
                ignore = shutil.ignore_patterns("__pycache__")
                shutil.copytree(ROOT / name, source / name, ignore=ignore)
            else:
                shutil.copy(ROOT / name, source)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *extras["server"], *extras["postgres"], "hatchling"]
    try:
        link(needed(lines), links)
    except ModuleNotFoundError as missing:
        pytest.skip(f"{missing}: needs llmaas[server,postgres,dev]")
    offline = {"PYTHONPATH": str(links), "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    for one in named(BUILD, "RUN"):
        command = one.text.replace("/opt/llmaas", str(folder / "opt"))
        command = command.replace("python -m venv", f"{sys.executable} -m venv")
        done = run("sh", "-euc", command, cwd=source, env=hermetic() | offline)
        assert done.returncode == 0, done.stdout + done.stderr
    return folder


@pytest.fixture(scope="module")
def container(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """What ENTRYPOINT and CMD start, with the variables of ENV, on a free port."""
    folder = tmp_path_factory.mktemp("container")
    ((entry,), (command,)) = (named(FINAL, name) for name in ("ENTRYPOINT", "CMD"))
    assert (entry.words, command.words) == (["llmaas"], ["serve"])
    program = image / "opt" / "bin" / entry.words[0]
    variables = {
        name: value for name, value in environment(FINAL).items() if name == "LLMAAS_LOG_FORMAT"
    }
    variables |= {"PYTHONPATH": str(image / "links")}
    with serving(
        folder,
        folder / "cache",
        "--backend",
        "fake",
        program=program,
        variables=variables,
    ) as server:
        yield server


def test_the_image_has_the_project_itself(image: Path) -> None:
    done = run(image / "opt" / "bin" / "llmaas", "version", env={"PYTHONPATH": image / "links"})
    assert done.returncode == 0, done.stderr
    assert list((image / "opt").glob("lib/python3*/site-packages/llmaas_server/app.py"))


def test_the_health_check_of_the_image_works(container: Serving) -> None:
    (check,) = named(FINAL, "HEALTHCHECK")
    words = json.loads(check.text[check.text.index("[") :])
    asked = [word.replace("http://127.0.0.1:8000", container.base_url) for word in words]
    assert asked != words
    assert run(sys.executable, *asked[1:]).returncode == 0
    nobody = [word.replace(":8000", ":9") for word in words]
    assert run(sys.executable, *nobody[1:]).returncode != 0


# Without containers


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@dataclass(frozen=True, slots=True)
class Nginx:
    folder: Path
    port: int

    @property
    def command(self) -> list[str | Path]:
        return [program("nginx"), "-p", self.folder, "-c", self.folder / "main.conf"]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    """A server that is told of nginx as docs/how-to/nginx.md says."""
    folder = tmp_path_factory.mktemp("proxied")
    page = Page(DOCS / "how-to" / "nginx.md", (DOCS / "how-to" / "nginx.md").read_text("utf-8"))
    (block,) = page.code("toml")
    (folder / "llmaas.toml").write_text(block.text, "utf-8")
    with serving(folder, folder / "cache", "--backend", "fake") as server:
        yield server


@pytest.fixture(scope="module")
def nginx(proxied: Serving, tmp_path_factory: pytest.TempPathFactory) -> Nginx:
    """Our file within a whole one, with a certificate that exists, on free ports."""
    folder = tmp_path_factory.mktemp("nginx")
    name = ("--name", "llm.example.org", "--folder", folder / "tls")
    made = run(LLMAAS, "tls", "dev-cert", *name, env=hermetic())
    assert made.returncode == 0, made.stderr
    port = free_port()
    ours = (DEPLOY / "nginx.conf").read_text("utf-8")
    changes = {
        "/etc/nginx/tls": str(folder / "tls"),
        "127.0.0.1:8000": proxied.base_url.removeprefix("http://"),
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "listen 80;": f"listen 127.0.0.1:{free_port()};",
        "    listen [::]:443 ssl;\n": "",
        "    listen [::]:80;\n": "",
    }
    for old, new in changes.items():
        assert old in ours
        ours = ours.replace(old, new)
    (folder / "llmaas.conf").write_text(ours, "utf-8")
    scratch = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    paths = " ".join(f"{one}_temp_path {folder}/{one};" for one in scratch)
    (folder / "main.conf").write_text(
        f"pid {folder}/nginx.pid;\nerror_log {folder}/error.log;\ndaemon off;\nuser root;\n"
        f"events {{}}\nhttp {{ access_log off; {paths} include {folder}/llmaas.conf; }}\n",
        "utf-8",
    )
    return Nginx(folder, port)


def test_nginx_takes_our_file(nginx: Nginx) -> None:
    done = run(*nginx.command, "-t")
    assert done.returncode == 0, done.stderr
    whole = (DEPLOY / "nginx.conf").read_text("utf-8")
    whole = whole.replace("/etc/nginx/tls", str(nginx.folder / "tls"))
    (nginx.folder / "whole.conf").write_text(f"events {{}}\nhttp {{\n{whole}}}\n", "utf-8")
    done = run(program("nginx"), "-t", "-p", nginx.folder, "-c", nginx.folder / "whole.conf")
    assert "syntax is ok" in done.stderr


def test_clients_stream_through_nginx(nginx: Nginx, proxied: Serving) -> None:
    with subprocess.Popen(nginx.command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(nginx.port, process)
            address = f"https://127.0.0.1:{nginx.port}"
            trust = str(nginx.folder / "tls" / "ca.pem")
            with Client(address, proxied.key, ca_bundle=trust) as client:
                assert client.classify("fine", labels=["praise", "complaint"]).model == "fake"
                with client.chat.stream("one two three") as stream:
                    assert len(list(stream)) > 1
            asked = httpx.get(
                f"{address}/health/live",
                headers={"host": "evil.example"},
                verify=ssl.create_default_context(cafile=trust),
            )
            assert asked.status_code == 403
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
    raise AssertionError("nginx does not listen")


def test_systemd_takes_our_unit(tmp_path: Path) -> None:
    analyze = program("systemd-analyze")
    text = (DEPLOY / "llmaas.service").read_text("utf-8")
    unit = tmp_path / "llmaas.service"
    unit.write_text(text.replace("/opt/llmaas/bin/llmaas", str(LLMAAS)), "utf-8")
    done = run(analyze, "verify", unit)
    assert (done.returncode, done.stderr) == (0, "")
    unit.write_text(text, "utf-8")
    assert run(analyze, "verify", unit).returncode != 0, "it does not look for the program"


def test_the_unit_gives_the_server_time_to_end() -> None:
    text = (DEPLOY / "llmaas.service").read_text("utf-8")
    (seconds,) = (
        line.partition("=")[2] for line in text.splitlines() if line.startswith("TimeoutStopSec")
    )
    assert float(seconds) > 2 * Settings().grace_seconds
