"""What to type to copy a PostgreSQL database: it has tools of its own, which know it best."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path

from sqlalchemy import URL

TOOL_SECONDS = 10.0


def dump_command(url: URL, file: Path) -> str:
    """Copies all that llmaas has, in one consistent state, while the server works."""
    return shlex.join(["pg_dump", "--format=custom", "--no-owner", f"--file={file}", _uri(url)])


def restore_command(url: URL, file: Path) -> str:
    """Puts a copy in the place of what is there, whole or not at all. The server must not run."""
    return shlex.join(
        [
            "pg_restore",
            "--clean",
            "--if-exists",
            "--no-owner",
            "--single-transaction",
            f"--dbname={_uri(url)}",
            str(file),
        ]
    )


def complaint(tool: str, server_major: int) -> str | None:
    """Why the tool on this machine does not fit the server; None where it does."""
    found = tool_major(tool)
    if found is None:
        return f"{tool} is not on this machine: install the client of PostgreSQL {server_major}"
    if found < server_major:
        return (
            f"{tool} on this machine is of PostgreSQL {found}, older than the server's "
            f"{server_major}, which it cannot read: install the client of {server_major}"
        )
    return None


def tool_major(tool: str) -> int | None:
    """The major version of a tool on this machine."""
    path = shutil.which(tool)
    if path is None:
        return None
    try:
        done = subprocess.run(
            [path, "--version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TOOL_SECONDS,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = re.search(r"\b(\d+)[.\d]*", done.stdout)
    return None if version is None else int(version.group(1))


def _uri(url: URL) -> str:
    """As the tools take it; the password is for PGPASSWORD or ~/.pgpass, never in a command."""
    plain = URL.create(
        "postgresql", url.username, None, url.host, url.port, url.database, url.query
    )
    return plain.render_as_string(hide_password=False)
