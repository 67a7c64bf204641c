"""Settings: file < environment < flags, and errors of one line that name the place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from llmaas_server.settings import (
    Settings,
    SettingsError,
    load_settings,
    origins,
    worker_environment,
)


@pytest.fixture(autouse=True)
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No variable and no file of the developer's."""
    for name in list(os.environ):
        if name.startswith("LLMAAS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")


def origin_of(settings: Settings, name: str) -> str:
    return next(row.origin for row in origins(settings) if row.name == name)


def test_defaults() -> None:
    settings = load_settings()
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.backend == "worker"
    assert settings.max_body_bytes == 2 << 20
    assert origin_of(settings, "port") == "default"
    assert origin_of(settings, "config") == "default"


def test_layers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "work" / "llmaas.toml"
    file.write_text('port = 1\nthreads = 1\ndevice = "cpu"\nkv_bytes = "2GiB"\n')
    monkeypatch.setenv("LLMAAS_PORT", "2")
    monkeypatch.setenv("LLMAAS_THREADS", "2")
    settings = load_settings({"port": 3, "host": None})
    assert (settings.port, settings.threads, settings.device) == (3, 2, "cpu")
    assert settings.kv_bytes == 2 << 30
    assert origin_of(settings, "port") == "--port"
    assert origin_of(settings, "threads") == "LLMAAS_THREADS"
    assert origin_of(settings, "device") == str(file)
    assert origin_of(settings, "host") == "default"
    assert settings.config == file


def test_file_in_home(tmp_path: Path) -> None:
    home = tmp_path / "elsewhere"
    home.mkdir()
    (home / "llmaas.toml").write_text("port = 5")
    assert load_settings().port == 8000
    assert load_settings({"home": home}).port == 5


def test_file_beside_wins_over_home(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "llmaas.toml").write_text("port = 5")
    (tmp_path / "work" / "llmaas.toml").write_text("port = 6")
    assert load_settings().port == 6


def test_named_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "work" / "llmaas.toml").write_text("port = 6")
    (tmp_path / "a.toml").write_text("port = 7")
    (tmp_path / "b.toml").write_text("port = 8")
    monkeypatch.setenv("LLMAAS_CONFIG", str(tmp_path / "a.toml"))
    assert load_settings().port == 7
    assert load_settings({"config": tmp_path / "b.toml"}).port == 8


def test_empty_variable_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_THREADS", "")
    assert load_settings().threads is None


def test_a_list_in_the_file_and_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "work" / "llmaas.toml").write_text('pinned_models = ["a"]')
    assert load_settings().pinned_models == ("a",)
    monkeypatch.setenv("LLMAAS_PINNED_MODELS", "b, org/c")
    assert load_settings().pinned_models == ("b", "org/c")


def test_settings_built_by_hand_read_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_PORT", "2")
    assert Settings().port == 8000


@pytest.mark.parametrize(
    ("device", "devices"),
    [("auto", ["auto"]), ("cpu,cpu", ["cpu", "cpu"]), ("cuda:0,cuda:1", ["cuda:0", "cuda:1"])],
)
def test_devices(device: str, devices: list[str]) -> None:
    assert Settings(device=device).devices == devices


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("prot = 1", ["llmaas.toml", "'prot'", "port"]),
        ('port = "many"', ["llmaas.toml", "port = 'many'", "integer"]),
        ("port = 70000", ["llmaas.toml", "port = 70000", "65535"]),
        ('backend = "gpu"', ["llmaas.toml", "backend = 'gpu'", "'worker' or 'fake'"]),
        ('device = "tpu"', ["llmaas.toml", "device = 'tpu'", "cuda"]),
        ('pinned_models = "a,,b"', ["llmaas.toml", "pinned_models", "1 character"]),
        ('device = "auto,cpu"', ["llmaas.toml", "device = 'auto,cpu'"]),
        ('device = "cpu,"', ["llmaas.toml", "device = 'cpu,'"]),
        ('kv_bytes = "much"', ["llmaas.toml", "kv_bytes = 'much'"]),
        ("port = ?", ["llmaas.toml", "line 1"]),
        ('config = "x.toml"', ["llmaas.toml", "config"]),
        ("[server]\nport = 1", ["llmaas.toml", "'server'"]),
    ],
)
def test_wrong_file(tmp_path: Path, content: str, says: list[str]) -> None:
    (tmp_path / "work" / "llmaas.toml").write_text(content)
    with pytest.raises(SettingsError) as raised:
        load_settings()
    assert "\n" not in str(raised.value)
    assert all(word in str(raised.value) for word in says)


def test_wrong_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_PORT", "many")
    with pytest.raises(SettingsError, match=r"^LLMAAS_PORT: port = 'many': .*integer"):
        load_settings()


def test_wrong_flag() -> None:
    with pytest.raises(SettingsError, match=r"^--log-level: log_level = 'loud': .*'info'"):
        load_settings({"log_level": "loud"})


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*none\.toml"):
        load_settings({"config": tmp_path / "none.toml"})


def test_every_setting_is_described() -> None:
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name


def test_worker_gets_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_API_KEY", "secret")
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("HTTPS_PROXY", "http://user:secret@proxy")
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    environment = worker_environment()
    assert "secret" not in " ".join(environment.values())
    assert environment["OMP_NUM_THREADS"] == "3"
    assert environment["CUDA_VISIBLE_DEVICES"] == "1"
    assert environment["PATH"] == os.environ["PATH"]
    assert environment["HF_HUB_OFFLINE"] == environment["TRANSFORMERS_OFFLINE"] == "1"


@pytest.mark.parametrize("where", ["file", "environment", "flag"])
def test_a_table_by_model(where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flags = {}
    if where == "file":
        text = '[model_quantization]\n"org/a=b" = "none"\nb = "int4"\n'
        (tmp_path / "work" / "llmaas.toml").write_text(text)
    elif where == "environment":
        monkeypatch.setenv("LLMAAS_MODEL_QUANTIZATION", "org/a=b=none, b=int4")
    else:
        flags["model_quantization"] = "org/a=b=none,b=int4"
    assert load_settings(flags).model_quantization == {"org/a=b": "none", "b": "int4"}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("a=int3", r"--model-quantization: model_quantization\['a'\] = 'int3': .*'int8'"),
        ("a", "'a' is not NAME=VALUE"),
        ("=int8", "at least 1 character"),
    ],
)
def test_a_table_that_is_wrong_is_refused_by_name(given: str, told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings({"model_quantization": given})
