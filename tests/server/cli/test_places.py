"""Where commands that manage work: at a server that was named, at the one of this home, or on its
database; and what `llmaas env` says of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llmaas_client.cli import main
from llmaas_client.wire.credentials import FILE_NAME
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
from support.front import Front
from support.homes import Capture, home, left, llmaas, served
from support.serving import LLMAAS, hermetic, serving

__all__ = ["home", "left", "llmaas", "served"]

pytestmark = pytest.mark.usefixtures("home")


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        ("sh", "export OPENAI_BASE_URL={url}/v1"),
        ("fish", "set -gx OPENAI_BASE_URL '{url}/v1'"),
        ("powershell", "$env:OPENAI_BASE_URL = '{url}/v1'"),
    ],
)
def test_env(served: Front, capsys: Capture, shell: str, line: str) -> None:
    assert main(["env", "--shell", shell]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert line.format(url=served.url) in lines
    assert sum(served.key in text for text in lines) == 2
    assert served.management_key not in "\n".join(lines)
    assert lines[0].startswith(f"# {served.url}, for key_")


def test_env_as_a_shell_takes_it(served: Front, home: Path) -> None:
    script = f'eval "$({LLMAAS} env --management)"; {LLMAAS} chat Hello; {LLMAAS} accounts show'
    environment = hermetic() | {"LLMAAS_HOME": str(home)}
    done = subprocess.run(
        ["sh", "-euc", script],
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "Hello" in done.stdout
    assert "local" in done.stdout


def test_env_without_a_key(capsys: Capture) -> None:
    assert main(["env"]) == 4
    assert "LLMAAS_API_KEY" in capsys.readouterr().err


def test_nothing_runs_and_nothing_is_there(home: Path, capsys: Capture) -> None:
    assert main(["keys", "list"]) == 2
    assert "llmaas serve" in capsys.readouterr().err
    assert not list(home.iterdir())


@pytest.mark.usefixtures("left")
def test_a_server_that_was_named_is_asked_over_http(
    monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    assert main(["keys", "list", "--base-url", "http://127.0.0.1:8000"]) == 3
    monkeypatch.setenv("LLMAAS_BASE_URL", "http://127.0.0.1:8000")
    assert main(["keys", "list"]) == 3
    monkeypatch.delenv("LLMAAS_BASE_URL")
    monkeypatch.setenv("LLMAAS_MANAGEMENT_KEY", "llmaas_mk_x")
    assert main(["keys", "list"]) == 3
    capsys.readouterr()


def test_keys_of_the_home_stay_at_its_address(served: Front, home: Path, capsys: Capture) -> None:
    elsewhere = served.url.replace("127.0.0.1", "localhost")
    assert main(["keys", "list", "--base-url", elsewhere]) == 4
    assert "there is no management key" in capsys.readouterr().err
    assert served.management_key in (home / FILE_NAME).read_text()


HOLD = """
import sys
from pathlib import Path
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings
services = Services.open(Settings(home=Path(sys.argv[1])))
print("open", flush=True)
sys.stdin.read()
services.release()
"""


@pytest.mark.usefixtures("left")
def test_a_database_that_another_process_has_is_left_alone(home: Path, capsys: Capture) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(home)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=hermetic(),
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "open\n"
        assert main(["keys", "create", "ci"]) == 1
        err = capsys.readouterr().err
        assert f"in use by process {holder.pid}" in err
        holder.communicate(timeout=30)
    assert main(["keys", "create", "ci"]) == 0


@pytest.mark.usefixtures("left")
def test_commands_at_once_take_turns_or_are_refused(home: Path, llmaas: Callable[..., Any]) -> None:
    """Never both at once: as many keys are there as commands said so."""
    command = [str(LLMAAS), "keys", "create", "ci"]
    environment = hermetic() | {"LLMAAS_HOME": str(home)}
    running = [
        subprocess.Popen(
            command, env=environment, cwd=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for process in running:
        process.communicate(timeout=60)
    done = sum(process.returncode == 0 for process in running)
    assert {process.returncode for process in running} <= {0, 1}
    assert done >= 1
    assert sum(key["name"] == "ci" for key in llmaas("keys", "list")) == done


def test_what_is_done_without_a_server_is_in_the_audit_trail(
    home: Path, left: None, llmaas: Callable[..., Any]
) -> None:
    key = llmaas("keys", "create", "ci")["id"]
    services = Services.open(Settings(home=home))
    try:
        rows = services.database.look(lambda tables: tables.audit.after(0, 1000))
    finally:
        services.release()
    assert (rows[-1].actor_kind, rows[-1].actor, rows[-1].action, rows[-1].target) == (
        "operator",
        "local",
        "keys.create",
        key,
    )


def test_a_server_is_found_as_long_as_it_runs(tmp_path: Path) -> None:
    def keys(home: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(LLMAAS), "keys", "list"],
            env=hermetic() | {"LLMAAS_HOME": str(home)},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )

    with serving(tmp_path, tmp_path / "cache", "--backend", "fake") as server:
        online = keys(server.home)
    offline = keys(server.home)
    assert online.stderr == ""
    assert "no server runs" in offline.stderr
    ids = [[line.split("\t")[0] for line in run.stdout.splitlines()] for run in (online, offline)]
    assert ids[0] == ids[1]
    assert len(ids[0]) == 3  # the header, and the two keys of the first start
