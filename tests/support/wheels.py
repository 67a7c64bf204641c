"""Clean environments: a wheel, and of all that is installed here only what the wheel asks for."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

PROJECT = "llmaas"


@dataclass(frozen=True, slots=True)
class Environment:
    folder: Path

    @property
    def python(self) -> Path:
        return self.folder / "bin" / "python"

    @property
    def llmaas(self) -> Path:
        return self.folder / "bin" / "llmaas"

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        """Run a command without what is set here for llmaas and for Python."""
        ours = ("LLMAAS_", "PYTHON", "COV_", "COVERAGE_")
        return subprocess.run(
            command,
            cwd=self.folder,
            env={name: value for name, value in os.environ.items() if not name.startswith(ours)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


def make_environment(folder: Path, wheel: Path, *extras: str) -> Environment:
    """A virtual environment with the wheel, and links to what it and its extras need."""
    venv.create(folder, with_pip=False)
    environment = Environment(folder)
    install = ["install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(environment.python), *install, str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, text=True, timeout=120)
    packages = next((folder / "lib").glob("python3*")) / "site-packages"
    (metadata,) = packages.glob(f"{PROJECT}-*.dist-info")
    for name in sorted(needed(Distribution.at(metadata), frozenset(extras))):
        for entry in top_entries(distribution(name)):
            link = packages / entry.name
            if not link.exists():
                link.symlink_to(entry)
    return environment


def needed(project: Distribution, extras: frozenset[str]) -> set[str]:
    """The names of what a project needs with these extras, directly or through others."""
    found: dict[str, str] = {}  # the requirement as it is written -> the name in it
    todo = [(project, extras)]
    while todo:
        one, wanted = todo.pop()
        for line in one.requires or ():
            requirement = Requirement(line)
            if line not in found and _applies(requirement, wanted):
                found[line] = canonicalize_name(requirement.name)
                todo.append((distribution(requirement.name), frozenset(requirement.extras)))
    return set(found.values())


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def top_entries(one: Distribution) -> Iterator[Path]:
    """The files and folders of a distribution that lie directly in `site-packages`."""
    parts = {file.parts[0] for file in one.files or () if file.parts[0] != ".."}
    home = Path(str(one.locate_file("")))
    yield from (home / part for part in sorted(parts) if part != "__pycache__")
