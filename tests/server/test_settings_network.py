"""Settings of what other machines reach."""

from __future__ import annotations

from pathlib import Path

import pytest

from llmaas_server.settings import SettingsError, load_settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMAAS_HOME", str(tmp_path))


def test_proxies_are_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMAAS_BEHIND_PROXY", "10.1.2.3/8, fd00::1")
    assert load_settings().behind_proxy == ("10.0.0.0/8", "fd00::1/128")


def test_names_and_origins_have_one_form() -> None:
    settings = load_settings(
        {
            "allowed_hosts": "LLM.example.org., llm",
            "allowed_origins": "https://App.example.org:8443",
        }
    )
    assert settings.allowed_hosts == ("llm.example.org", "llm")
    assert settings.allowed_origins == ("https://app.example.org:8443",)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ({"behind_proxy": "proxy.example.org"}, "--behind-proxy"),
        ({"allowed_hosts": "https://llm.example.org"}, "without a port"),
        ({"allowed_hosts": "llm.example.org:8000"}, "without a port"),
        ({"allowed_hosts": "*"}, "without a port"),
        ({"allowed_origins": "*"}, "without a path"),
        ({"allowed_origins": "https://app.example.org/"}, "without a path"),
        ({"allowed_origins": "app.example.org"}, "without a path"),
        ({"tls_cert": "cert.pem"}, "set both"),
        ({"tls_key": "key.pem"}, "set both"),
    ],
)
def test_what_cannot_be_is_refused_by_name(flags: dict[str, object], told: str) -> None:
    with pytest.raises(SettingsError, match=told):
        load_settings(flags)
