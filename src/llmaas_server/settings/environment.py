"""What processes of the server see of its environment."""

from __future__ import annotations

import os

from .model import ENV_PREFIX

_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "DYLD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONHASHSEED",
    "VIRTUAL_ENV",
    "CUDA_VISIBLE_DEVICES",
    "CUDA_HOME",
)
_PASSED_ON_PREFIXES = ("OMP_", "KMP_", "MKL_", "OPENBLAS_", "NVIDIA_")


def variables(prefix: str = ENV_PREFIX) -> list[str]:
    """The names of this process's variables that begin so, whatever their case."""
    return sorted(name.upper() for name in os.environ if name.upper().startswith(prefix))


def worker_environment() -> dict[str, str]:
    """The environment of a worker: what Python and torch need, no keys, and no way to a hub."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED_ON or name.startswith(_PASSED_ON_PREFIXES)
    }
    return {**kept, "HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
