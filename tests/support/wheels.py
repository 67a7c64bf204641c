"""Clean environments: a wheel, and of all that is installed here only what the wheel asks for."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from support.sources import ROOT

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

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python3*/site-packages")
        return found

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


def build_package(folder: Path) -> None:
    """Build the sdist, and the wheel from it, into a folder. Needs no network."""
    build = [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)]
    done = subprocess.run(build, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def make_environment(folder: Path, wheel: Path, *extras: str) -> Environment:
    """A virtual environment with the wheel, and links to what it and its extras need."""
    venv.create(folder, with_pip=False)
    environment = Environment(folder)
    install = ["install", "-q", "--no-deps", "--no-index", "--disable-pip-version-check"]
    pip = [sys.executable, "-m", "pip", "--python", str(environment.python), *install, str(wheel)]
    subprocess.run(pip, check=True, capture_output=True, text=True, timeout=120)
    (metadata,) = environment.packages.glob(f"{PROJECT}-*.dist-info")
    link(needed(Distribution.at(metadata).requires or (), frozenset(extras)), environment.packages)
    return environment


def link(names: Iterable[str], folder: Path) -> None:
    """Links to these distributions of this environment."""
    for name in sorted(names):
        for entry in top_entries(distribution(name)):
            target = folder / entry.name
            if not target.exists():
                target.symlink_to(entry)


def needed(requirements: Iterable[str], extras: frozenset[str] = frozenset()) -> set[str]:
    """The names of what these lines ask for with these extras, directly or through others."""
    found: dict[str, str] = {}  # the requirement as it is written -> the name in it
    todo = [(line, extras) for line in requirements]
    while todo:
        line, wanted = todo.pop()
        requirement = Requirement(line)
        if line not in found and _applies(requirement, wanted):
            found[line] = canonicalize_name(requirement.name)
            more = frozenset(requirement.extras)
            todo.extend((one, more) for one in distribution(requirement.name).requires or ())
    return set(found.values())


def _applies(requirement: Requirement, extras: frozenset[str]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *extras))


def top_entries(one: Distribution) -> Iterator[Path]:
    """The files and folders of a distribution that lie directly in `site-packages`."""
    parts = {file.parts[0] for file in one.files or () if file.parts[0] != ".."}
    home = Path(str(one.locate_file("")))
    yield from (home / part for part in sorted(parts) if part != "__pycache__")
