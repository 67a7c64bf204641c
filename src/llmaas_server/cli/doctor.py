"""`llmaas doctor`: what is wrong, and what to type."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from .checks.finding import Check, Finding, guarded
from .failure import FAILED


def doctor(
    config: Annotated[Path | None, typer.Option(help="The settings file.")] = None,
    network: Annotated[
        bool, typer.Option("--network", help="Also ask whether the model hub can be reached.")
    ] = False,
    security: Annotated[
        bool, typer.Option("--security", help="Look at how well the server is kept instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Look at this machine and say what keeps the server from working, and what to type.

    With --security: who may read its files, who can reach it and listen, keys that are old, unused
    or endless, the audit trail, and versions with known flaws. Run it from time to time.

    Changes nothing. `wrong` keeps the server from working, `weak` is worth knowing; exits with 1
    where something is wrong.
    """
    findings: list[Finding] = []
    for check in _checks(config, security=security, with_network=network):
        for finding in guarded(check):
            findings.append(finding)
            if not as_json:
                typer.echo(_line(finding))
    if as_json:
        rows = [dataclasses.asdict(finding) for finding in findings]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(FAILED)


def _checks(config: Path | None, *, security: bool, with_network: bool) -> list[Check]:
    from llmaas_server.settings import SettingsError, load_settings

    from .checks import all_checks, without_settings
    from .security import security_checks

    try:
        settings = load_settings({"config": config})
    except SettingsError as error:
        return without_settings(error)
    if security:
        return security_checks(settings)
    return all_checks(settings, with_network=with_network)


def _line(finding: Finding) -> str:
    line = f"{finding.state:<6}{finding.what}: {finding.found}"
    return f"{line}\n      -> {finding.remedy}" if finding.remedy else line
