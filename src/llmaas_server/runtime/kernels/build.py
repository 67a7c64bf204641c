"""Compiles the kernels for the processor at hand, once, into a folder of the cache.

The wheel stays pure Python: the sources travel in it, and the library is built where a C++
compiler is. Its name is a hash of all that it depends on, so a new processor, compiler or version
of the sources makes a new one.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

Instructions = Literal["native", "avx2", "portable"]
"""What to compile for: all that this processor has, or less (tests hold all three equal)."""

SOURCES = Path(__file__).parent / "source"
COMPILERS = ("c++", "g++", "clang++")
_COMMON = (
    "-std=c++17",
    "-fPIC",
    "-shared",
    "-pthread",
    "-fno-math-errno",
    "-ffp-contract=fast",
    "-Wno-psabi",
)
_FLAGS: dict[Instructions, tuple[str, ...]] = {
    "native": ("-O3", "-march=native"),
    "avx2": ("-O3", "-mavx2", "-mfma", "-mf16c"),
    # Nothing to unroll into: more optimization makes a larger library, not a faster one.
    "portable": ("-O2",),
}
_SECONDS = 300.0


class CannotBuild(Exception):
    """The kernels cannot be built here; the message says why."""


def find(folder: Path, instructions: Instructions = "native") -> Path | None:
    """The library where it has been built already. Takes milliseconds."""
    compiler = find_compiler()
    if compiler is None:
        return None
    built = folder / _name(compiler, instructions)
    return built if built.is_file() and _is_ours(built) else None


def find_compiler() -> str | None:
    """The path of a compiler to try it with."""
    return next((path for name in COMPILERS if (path := shutil.which(name))), None)


def build(folder: Path, instructions: Instructions = "native") -> Path:
    """Build the library where it is not there, and return its path. Takes about ten seconds.

    Atomic: two processes that build at once end with one whole file. Raises CannotBuild.
    """
    compiler = find_compiler()
    if compiler is None:
        raise CannotBuild(f"there is no C++ compiler ({', '.join(COMPILERS)})")
    found = find(folder, instructions)
    if found is not None:
        return found
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix="building-", suffix=".so", dir=folder)
    os.close(handle)
    try:
        _compile(compiler, _FLAGS[instructions], Path(name))
        target = folder / _name(compiler, instructions)
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
    return target


def _compile(compiler: str, flags: Sequence[str], target: Path) -> None:
    sources = [str(path) for path in sorted(SOURCES.glob("*.cpp"))]
    command = [compiler, *flags, *_COMMON, "-o", str(target), *sources]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except subprocess.CalledProcessError as error:
        lines = error.stderr.strip().splitlines() or [f"exit status {error.returncode}"]
        raise CannotBuild(f"{compiler} failed: {lines[0]}") from error
    except subprocess.TimeoutExpired as error:
        raise CannotBuild(f"{compiler} took more than {_SECONDS:.0f} s") from error
    target.chmod(0o700)


def _name(compiler: str, instructions: Instructions) -> str:
    version = subprocess.run(
        [compiler, "--version"], capture_output=True, text=True, check=False
    ).stdout
    digest = hashlib.sha256()
    for part in (*_FLAGS[instructions], *_COMMON, version, platform.machine(), _processor()):
        digest.update(part.encode() + b"\0")
    for path in sorted(SOURCES.iterdir()):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return f"kernels-{instructions}-{digest.hexdigest()[:20]}.so"


def _processor() -> str:
    """What tells processors apart where `-march=native` does."""
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return "\n".join(sorted({line for line in lines if line.startswith(("model name", "flags"))}))


def _is_ours(path: Path) -> bool:
    """Whether nobody else could have put code there: ours, and writable by no one else."""
    status = path.stat()
    return status.st_uid == os.getuid() and not status.st_mode & 0o022
