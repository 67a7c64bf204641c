"""Virtual environments of other people's clients, each alone with what it needs, in exact versions.

Built once with pip and kept in the user's cache, under a name that follows from the versions.
`scripts/clients` builds all of them beforehand.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

from support.sources import ROOT

REQUIREMENTS = ROOT / "tests" / "compat_clients" / "requirements"
NAMES = sorted(path.stem for path in REQUIREMENTS.glob("*.txt"))
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "llmaas-test-clients"


class CannotBuildError(Exception):
    """Why there is no environment: most often no network."""


def python_of(name: str, seconds: float) -> Path:
    """The interpreter of a client's environment, which may take so long to build.

    Raises CannotBuildError.
    """
    versions = (REQUIREMENTS / f"{name}.txt").read_bytes()
    tag = hashlib.sha256(sys.version.encode() + versions).hexdigest()[:12]
    folder = CACHE / f"{name}-{tag}"
    if not folder.exists():
        _build(name, folder, seconds)
    return folder / "bin" / "python"


def _build(name: str, folder: Path, seconds: float) -> None:
    """Build beside the folder, then give it its name: nobody sees half an environment."""
    CACHE.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=f"{name}-", dir=CACHE))
    try:
        venv.create(building, symlinks=True)
        _install(name, building, seconds)
        if not folder.exists():
            building.rename(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _install(name: str, building: Path, seconds: float) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(building / "bin" / "python")]
    options = ["--quiet", "--disable-pip-version-check", "--no-input", "--only-binary", ":all:"]
    options += ["--no-deps", "--no-compile", "--retries", "1", "--timeout", "15"]
    requirements = str(REQUIREMENTS / f"{name}.txt")
    try:
        done = subprocess.run(
            [*pip, "install", *options, "-r", requirements],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise CannotBuildError(f"{name}: pip took more than {seconds:.0f} s") from None
    if done.returncode != 0:
        raise CannotBuildError(f"{name}: {done.stderr.strip().splitlines()[-1:]}")
