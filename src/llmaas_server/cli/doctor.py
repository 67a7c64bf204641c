"""`llmaas doctor`: what is wrong, and what to type."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .failure import FAILED, wrong_usage

if TYPE_CHECKING:
    from .checks import Finding


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

    Changes nothing. Exits with 1 where something is wrong.
    """
    from llmaas_server.settings import SettingsError, load_settings

    from .checks import all_checks
    from .security import security_checks

    try:
        settings = load_settings({"config": config})
    except SettingsError as error:
        wrong_usage(str(error))
    findings: list[Finding] = []
    checks = security_checks(settings) if security else all_checks(settings, network=network)
    for check in checks:
        for finding in check():
            findings.append(finding)
            if not as_json:
                typer.echo(_line(finding))
    if as_json:
        rows = [dataclasses.asdict(finding) for finding in findings]
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
    if any(finding.state == "wrong" for finding in findings):
        raise typer.Exit(FAILED)


def _line(finding: Finding) -> str:
    line = f"{finding.state:<6}{finding.what}: {finding.found}"
    return f"{line}\n      -> {finding.remedy}" if finding.remedy else line
