"""Homes in which something was broken on purpose, and what a check then says."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from llmaas_server.cli.checks.finding import Finding
from llmaas_server.gateway.services import Services
from llmaas_server.settings import Settings


def settings(home: Path, **values: object) -> Settings:
    return Settings.model_validate({"home": home, "cache": home / "cache", **values})


def only(findings: Iterable[Finding]) -> Finding:
    (finding,) = findings
    return finding


def found(findings: Iterable[Finding], what: str) -> Finding:
    """The one finding about one thing."""
    return only(finding for finding in findings if finding.what == what)


def started_once(home: Path) -> Path:
    """A home where a server ran, and ended."""
    services = Services.open(settings(home))
    services.bootstrap("http://127.0.0.1:8000")
    services.release()
    return home
