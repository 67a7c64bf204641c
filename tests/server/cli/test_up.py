"""`llmaas up` as a process: what it brings, says and opens, and how it ends."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import typer
from typer.testing import CliRunner

from llmaas_server.cli.serve import serve
from llmaas_server.cli.tls import app as tls
from llmaas_server.cli.up import up
from llmaas_server.models.store import Store
from llmaas_server.settings import load_settings
from support.hub import Hub
from support.hub import serving as hub_serving
from support.model_files import model_folder
from support.upping import Recorder, interrupt, lines_until, upping

FAKE = ("--backend", "fake", "--port", "0")
LINK = re.compile(r"https?://127\.0\.0\.1:\d+/console/enter\?token=\S{20,}")

INTERRUPTED = 130


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    return Recorder.in_folder(tmp_path)


@pytest.fixture
def browser(recorder: Recorder) -> dict[str, str | None]:
    return {"BROWSER": str(recorder.program)}


def finished(folder: Path, *flags: str, **variables: str | None) -> tuple[int, str, str]:
    with upping(folder, *flags, variables=variables) as running:
        out, err = running.communicate(timeout=60)
        return running.returncode, out, err


def signs_in(link: str) -> bool:
    """Whether somebody who follows the link is in the console then."""
    with httpx.Client(follow_redirects=True) as client:
        page = client.get(link)
        token = link.partition("token=")[2]
        assert page.is_success, page.text
        origin = link.partition("/console/")[0]
        url = link.partition("?")[0]
        answer = client.post(url, data={"token": token}, headers={"origin": origin})
    return answer.is_success and "/sign-in" not in str(answer.url)


def test_opens_the_console_when_it_is_ready(
    tmp_path: Path, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    with upping(tmp_path, *FAKE, variables=browser) as running:
        said = lines_until(running, "Ready")
        url = said[0].removeprefix("llmaas serves at ")
        opened = recorder.opened()
        assert opened.startswith(f"{url}/console/enter?token=")
        assert any(line.endswith(opened) for line in said)
        assert signs_in(opened)
        out, err = interrupt(running)
    assert (running.returncode, out) == (0, "")
    assert "It opens in your browser." in err
    assert "Traceback" not in err


def test_a_second_one_opens_the_console_of_the_first(
    tmp_path: Path, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    with upping(tmp_path, *FAKE, variables=browser) as running:
        url = lines_until(running, "Ready")[0].removeprefix("llmaas serves at ")
        first = recorder.opened()
        code, out, err = finished(tmp_path, *FAKE, **browser)
        second = recorder.opened()
        assert (code, err) == (0, "It opens in your browser.\n")
        assert out.splitlines()[0] == f"llmaas serves already at {url}"
        assert out.splitlines()[1].endswith(second)
        assert second != first
        assert signs_in(second)
        port = url.rpartition(":")[2]
        assert finished(tmp_path, "--port", port, "--no-browser")[0] == 0
        code, _, err = finished(tmp_path, "--backend", "fake", "--port", free_port())
        assert code == 1
        assert f"runs already, at {url}. Stop it first" in err
        interrupt(running)
    assert recorder.was_not_asked


def test_of_two_at_once_one_serves_and_both_open_its_console(tmp_path: Path) -> None:
    flags = ("--backend", "fake", "--port", free_port(), "--no-browser")
    with upping(tmp_path, *flags) as one, upping(tmp_path, *flags) as other:
        both = {one: lines_until(one, ("Ready", "To sign")), other: []}
        both[other] = lines_until(other, ("Ready", "To sign"))
        serving = [it for it in both if both[it][0].startswith("llmaas serves at ")]
        visiting = [it for it in both if both[it][0].startswith("llmaas serves already at ")]
        assert (len(serving), len(visiting)) == (1, 1)
        assert visiting[0].wait(30) == 0
        interrupt(serving[0])
        assert serving[0].returncode == 0


def test_llmaas_console_opens_the_same_way(
    tmp_path: Path, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    with upping(tmp_path, *FAKE, "--no-browser", variables=browser) as running:
        lines_until(running, "Ready")
        with upping(tmp_path, command="console", variables=browser) as asking:
            out, err = asking.communicate(timeout=60)
        assert asking.returncode == 0, err
        assert recorder.opened() == out.strip()
        assert err.splitlines()[-1] == "It opens in your browser."
        interrupt(running)


@pytest.mark.parametrize(
    ("surroundings", "flags", "word"),
    [
        ({"BROWSER": None, "DISPLAY": None, "WAYLAND_DISPLAY": None}, (), "There is no display"),
        ({"BROWSER": None, "SSH_CONNECTION": "a 1 b 22"}, (), "`ssh -N -L "),
        ({"BROWSER": "/no/such/browser"}, (), "No browser could be started"),
        ({"BROWSER": "/no/such/browser"}, ("--no-browser",), None),
    ],
)
def test_where_no_browser_is_the_link_is_printed(
    tmp_path: Path, surroundings: dict[str, str | None], flags: tuple[str, ...], word: str | None
) -> None:
    plain: dict[str, str | None] = dict.fromkeys(("SSH_CONNECTION", "SSH_TTY", "WSL_DISTRO_NAME"))
    with upping(tmp_path, *FAKE, *flags, variables=plain | surroundings) as running:
        said = lines_until(running, "Ready")
        assert sum(bool(LINK.search(line)) for line in said) == 1
        if word is not None:
            assert running.stderr is not None
            assert any(word in line for line in running.stderr)
        interrupt(running)
        assert running.returncode == 0


def test_without_a_console_it_says_so(
    tmp_path: Path, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    off = browser | {"LLMAAS_CONSOLE": "false"}
    with upping(tmp_path, *FAKE, variables=off) as running:
        said = lines_until(running, "Ready")
        assert said[0] == "The console is off (console = false): there is nothing to open."
        assert not any("console/" in line for line in said)
        code, out, _ = finished(tmp_path, *FAKE, **browser)
        assert (code, out.splitlines()[1][:22]) == (0, "Its console is off (co")
        interrupt(running)
    assert recorder.was_not_asked


def test_over_tls_the_link_is_https(
    tmp_path: Path, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    folder = tmp_path / "tls"
    assert CliRunner().invoke(tls, ["dev-cert", "--folder", str(folder)]).exit_code == 0
    flags = (
        *("--tls-cert", str(folder / "cert.pem")),
        *("--tls-key", str(folder / "key.pem")),
    )
    with upping(tmp_path, *FAKE, *flags, variables=browser) as running:
        lines_until(running, "Ready")
        assert recorder.opened().startswith("https://127.0.0.1:")
        code, _, err = finished(tmp_path, *FAKE, *flags, **browser)
        assert code == 0, err
        assert recorder.opened().startswith("https://127.0.0.1:")
        interrupt(running)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    made = model_folder(tmp_path / "made")
    files = {path.name: path.read_bytes() for path in made.iterdir()}
    with hub_serving(Hub({"org/tiny": files | {"1_Pooling/config.json": b"{}"}})) as hub:
        yield hub


def defaults(name: str) -> dict[str, str | None]:
    roles = load_settings().default_models
    return {f"LLMAAS_{role.upper()}_MODEL": name for role in roles}


def test_brings_what_is_missing_once(
    tmp_path: Path, hub: Hub, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    online = browser | defaults("org/tiny") | {"HF_ENDPOINT": hub.endpoint, "HF_HUB_OFFLINE": None}
    with upping(tmp_path, "--port", "0", variables=online) as running:
        said = lines_until(running, "Ready")
        assert said[0] == "Fetching, once: org/tiny"
        assert said[1].startswith("org/tiny: ")
        assert recorder.opened().startswith("http://127.0.0.1:")
        _, err = interrupt(running)
    assert running.returncode == 0
    assert "org/tiny: download" in err
    assert [model.name for model in Store(tmp_path / "cache").installed()] == ["org/tiny"]

    hub.fetched.clear()
    offline = online | {"HF_ENDPOINT": "http://127.0.0.1:9"}
    with upping(tmp_path, "--port", "0", variables=offline) as running:
        assert lines_until(running, "Ready")[0].startswith("llmaas serves at ")
        interrupt(running)
    assert hub.fetched == []


def test_missing_and_no_network(tmp_path: Path, recorder: Recorder) -> None:
    offline = defaults("org/tiny") | {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HUB_OFFLINE": None}
    code, out, err = finished(tmp_path, "--port", "0", **offline)
    assert (code, out) == (1, "Fetching, once: org/tiny\n")
    last = err.splitlines()[-1]
    assert last.startswith("error: org/tiny cannot be fetched from the hub")
    assert "llmaas models import FOLDER --name org/tiny" in last
    assert last.endswith("`llmaas serve` starts without it.")
    assert recorder.was_not_asked


_PIP = """
import pathlib, signal, sys
target = pathlib.Path(sys.argv[sys.argv.index("--dest") + 1])
target.mkdir(parents=True)
(target / "half.whl").write_bytes(b"PK")
pathlib.Path("begun").touch()
signal.pause()
"""


def test_ctrl_c_while_it_brings_a_model_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "fake" / "pip").mkdir(parents=True)
    (tmp_path / "fake" / "pip" / "__init__.py").touch()
    (tmp_path / "fake" / "pip" / "__main__.py").write_text(_PIP)
    with upping(
        tmp_path, "--port", "0", variables={"PYTHONPATH": str(tmp_path / "fake")}
    ) as running:
        lines_until(running, "Fetching")
        assert running.stderr is not None
        assert running.stderr.readline() == "all-minilm-l6-v2: download 0 %\n"
        out, err = interrupt(running)
    assert (running.returncode, out) == (INTERRUPTED, "")
    assert "Traceback" not in err
    assert Store(tmp_path / "cache").installed() == []
    assert list((tmp_path / "cache" / "models" / ".incoming").iterdir()) == []


def test_nothing_is_fetched_for_a_server_that_cannot_start(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        code, out, err = finished(tmp_path, "--port", port)
    assert (code, out) == (1, "")
    assert "--port N" in err


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (("--port", "99999"), "--port: port = 99999: Input should be less than or equal to 65535"),
        (("--device", "gpu"), "--device: device = 'gpu': it is auto, cpu, cuda or cuda:N"),
        (("--config", "nowhere.toml"), "there is no settings file"),
        (("--brwoser",), "No such option: --brwoser"),
        (("once", "more"), "unexpected extra argument"),
    ],
)
def test_what_cannot_be_is_one_line(tmp_path: Path, flags: tuple[str, ...], words: str) -> None:
    code, out, err = finished(tmp_path, *flags)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1


def test_a_name_that_leads_to_no_model(tmp_path: Path) -> None:
    code, out, err = finished(tmp_path, LLMAAS_CHAT_MODEL="smollm2-135m")
    assert (code, out) == (2, "")
    assert "no model is named 'smollm2-135m'; similar: " in err
    assert "Set chat_model to a name" in err


@pytest.mark.real_models
def test_with_the_models_that_come_along(
    tmp_path: Path, embedded_store: Store, recorder: Recorder, browser: dict[str, str | None]
) -> None:
    here = browser | {"LLMAAS_CACHE": str(embedded_store.cache)}
    with upping(tmp_path, "--port", "0", variables=here) as running:
        url = lines_until(running, "Ready")[0].removeprefix("llmaas serves at ")
        assert recorder.opened().startswith(url)
        credentials = json.loads((tmp_path / "home" / "credentials.json").read_text())
        key = credentials["servers"][url]["inference_key"]
        answer = httpx.post(
            f"{url}/predict",
            json={"text": "I love Python"},
            headers={"authorization": f"Bearer {key}"},
            timeout=60,
        )
        assert answer.json() == {"prediction": 1}
        interrupt(running)
    assert running.returncode == 0


def test_has_the_options_of_serve() -> None:
    def options(command: object) -> set[str]:
        app = typer.Typer(add_completion=False)
        app.command()(command)  # type: ignore[type-var]
        return {name for one in typer.main.get_command(app).params for name in one.opts}

    assert options(up) == options(serve) | {"--browser"}


def free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return str(probe.getsockname()[1])
