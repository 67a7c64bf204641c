"""How much memory this machine has for models. No torch."""

from __future__ import annotations

import os
import subprocess


def cpu_memory_bytes() -> int:
    """Physical memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def gpu_memory_bytes() -> int | None:
    """Of the largest NVIDIA GPU; None where there is none, or its tool is missing."""
    try:
        listed = subprocess.run(
            ["nvidia-smi", "--query-gpu=memory.total", "--format=csv,noheader,nounits"],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None
    sizes = [int(line) << 20 for line in listed.split() if line.isdigit()]  # in MiB
    return max(sizes, default=None)
