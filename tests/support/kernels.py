"""The kernels for tests: built once on the machine, in the user's cache, where a compiler is."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import platformdirs
import pytest

from llmaas_server.runtime.kernels.build import CannotBuild, Instructions, build
from llmaas_server.runtime.kernels.library import Library

# Real folders, asked for before a fixture moves them.
FOLDER = Path(platformdirs.user_cache_dir("llmaas")) / "kernels"


@cache
def library(instructions: Instructions = "native", threads: int = 2) -> Library:
    """Skips the test with a word where the kernels cannot be built."""
    try:
        return Library(build(FOLDER, instructions), threads)
    except CannotBuild as error:
        pytest.skip(str(error))
