"""What this machine has for models: memory and cores. No torch."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path, PurePosixPath

SHARE_FOR_MODELS = 0.75
"""Of a device's memory; the rest is for activations and for everybody else."""

_CPU = Path("/sys/devices/system/cpu")


def physical_cores() -> int:
    """Cores that this process may run on; two hyperthreads of one core count once."""
    if not hasattr(os, "sched_getaffinity"):
        return os.cpu_count() or 1
    cores = {
        siblings.read_text()
        if (siblings := _CPU / f"cpu{cpu}" / "topology" / "thread_siblings_list").exists()
        else str(cpu)
        for cpu in os.sched_getaffinity(0)
    }
    return len(cores)


CGROUPS = Path("/sys/fs/cgroup")
OWN_CGROUP = Path("/proc/self/cgroup")


def cpu_memory_bytes(cgroups: Path = CGROUPS, own: Path = OWN_CGROUP) -> int:
    """Physical memory, or what a container or a service is limited to where that is less."""
    physical = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return min([physical, *_cgroup_limits(cgroups, own)])


def _cgroup_limits(cgroups: Path, own: Path) -> list[int]:
    """Of this process's group and of all those around it, in versions 1 and 2 of the interface."""
    if not own.is_file():
        return []
    limits = []
    for line in own.read_text().splitlines():  # hierarchy:controllers:path
        _, controllers, path = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        root, name = (
            (cgroups / "memory", "memory.limit_in_bytes")
            if controllers
            else (cgroups, "memory.max")
        )
        inside = PurePosixPath(path.lstrip("/"))
        for folder in (inside, *inside.parents):
            file = root / folder / name
            if file.is_file() and (limit := file.read_text().strip()).isdigit():  # or "max"
                limits.append(int(limit))
    return limits


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
