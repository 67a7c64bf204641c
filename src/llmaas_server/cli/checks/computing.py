"""What computes: torch, processors, memory, and the kernels on them."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from llmaas_server.models import machine

from .finding import Finding, size
from .installation import INSTALL, version_of

if TYPE_CHECKING:
    from llmaas_server.settings import Settings

LEAST_MEMORY = 2 << 30
TORCH_SECONDS = 120.0
SELECTOR = "https://pytorch.org/get-started/locally"

_TORCH = """
import json, torch
error = None
if torch.version.cuda and not torch.cuda.is_available():
    try:
        torch.cuda.init()
    except Exception as failed:
        error = str(failed).splitlines()[0]
print(json.dumps({
    "version": torch.__version__,
    "threads": torch.get_num_threads(),
    "cpu": torch.backends.cpu.get_cpu_capability(),
    "features": [
        name
        for name in ("avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8")
        if torch.cpu.get_capabilities().get(name)
    ],
    "built_for": torch.version.cuda,
    "error": error,
    "cuda": [
        f"{torch.cuda.get_device_name(i)} (cuda:{i}, "
        f"{torch.cuda.get_device_properties(i).total_memory / (1 << 30):.0f} GiB)"
        for i in range(torch.cuda.device_count())
    ],
}))
"""


def torch(devices: str = "auto") -> Iterator[Finding]:
    """In a process of its own: this one never imports torch. `devices` as in the settings."""
    if version_of("torch") is None:
        yield Finding("torch", "wrong", "not installed", INSTALL)
        return
    found = _ask(_TORCH)
    if isinstance(found, str):
        yield Finding("torch", "wrong", found, "pip install --force-reinstall torch")
        return
    yield Finding("torch", "ok", found["version"])
    yield _gpu(found, devices)
    cpu = ", ".join([found["cpu"], *found["features"]])
    cpu += f", {found['threads']} threads of {os.cpu_count()} processors"
    if found["cpu"] == "DEFAULT" and platform.machine() in {"x86_64", "AMD64"}:
        yield Finding("cpu", "weak", f"{cpu}: without AVX2 all is slow", "take a newer machine")
    else:
        yield Finding("cpu", "ok", cpu)


def _gpu(found: dict[str, Any], devices: str) -> Finding:
    """What torch can use, what there is, and what the settings ask for."""
    usable, built_for = found["cuda"], found["built_for"]
    lacking = _lacking(devices, len(usable))
    if usable and not lacking:
        return Finding("gpu", "ok", ", ".join(usable))
    state: Any = "wrong" if lacking else "weak"
    asked = f"; the setting device = {devices} asks for {lacking}" if lacking else ""
    if usable:
        there = f"only {', '.join(usable)}{asked}"
        return Finding("gpu", state, there, "llmaas serve --device auto")
    if machine.gpu_memory_bytes() is not None:
        if built_for is None:
            why = f"torch is built for the CPU, and the GPU of this machine is not used{asked}"
            return Finding("gpu", state, why, f"install torch for CUDA: choose it at {SELECTOR}")
        why = f"torch cannot use it: {found['error'] or 'it gave no reason'}{asked}"
        remedy = f"update its driver (nvidia-smi names it), or choose an older CUDA at {SELECTOR}"
        return Finding("gpu", state, why, remedy)
    if lacking:
        return Finding("gpu", "wrong", f"none here{asked}", "llmaas serve --device auto")
    note = f"; torch is built for CUDA {built_for}, which takes room and helps nothing here"
    return Finding("gpu", "ok", f"none, and none is asked for{note if built_for else ''}")


def _lacking(devices: str, count: int) -> str | None:
    """The first device of the setting that is not there."""
    for one in devices.split(","):
        kind, _, number = one.partition(":")
        if kind == "cuda" and int(number or 0) >= count:
            return one
    return None


_KERNELS = """
import json, sys
from pathlib import Path
from llmaas_server.runtime.kernels.build import find, find_compiler
from llmaas_server.runtime.kernels.library import Library
built = find(Path(sys.argv[1]))
print(json.dumps({
    "compiler": find_compiler(),
    "instructions": None if built is None else Library(built, 1).instructions,
}))
"""


def kernels(settings: Settings) -> Iterator[Finding]:
    """Which would compute on a CPU; in a process of its own, as for torch."""
    if settings.quantization == "none" or settings.dtype != "auto":
        why = "quantization is none" if settings.dtype == "auto" else f"dtype is {settings.dtype}"
        yield Finding("kernels", "ok", f"torch: {why}")
        return
    found = _ask(_KERNELS, str(settings.cache / "kernels"))
    if isinstance(found, str):
        yield Finding("kernels", "weak", f"not known: torch {found}", "see the findings above")
    elif found["instructions"]:
        yield Finding("kernels", "ok", f"native {found['instructions']}, built")
    elif found["compiler"]:
        built = f"built on first use, by {found['compiler']}; until then torch computes"
        yield Finding("kernels", "ok", built)
    else:
        why = "torch alone, several times slower: there is no C++ compiler"
        yield Finding("kernels", "weak", why, _install_compiler())


_COMPILERS = {
    "debian": "sudo apt-get install g++",
    "fedora": "sudo dnf install gcc-c++",
    "rhel": "sudo dnf install gcc-c++",
    "suse": "sudo zypper install gcc-c++",
    "arch": "sudo pacman -S gcc",
    "alpine": "sudo apk add g++",
}


def _install_compiler() -> str:
    """What to type on this system."""
    if sys.platform == "darwin":
        return "xcode-select --install"
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    names = [release.get("ID", ""), *release.get("ID_LIKE", "").split()]
    return next((_COMPILERS[one] for one in names if one in _COMPILERS), "install g++ or clang++")


def memory() -> Iterator[Finding]:
    """Of the machine, or what its container may have."""
    total = machine.cpu_memory_bytes()
    if total < LEAST_MEMORY:
        found = f"{size(total)}: little for a server with torch and a model"
        remedy = f"give it {size(LEAST_MEMORY)} or more; `llmaas models recommend` names what fits"
        yield Finding("memory", "weak", found, remedy)
    else:
        yield Finding("memory", "ok", size(total))


def _ask(program: str, *arguments: str) -> Any:
    """What a program prints as JSON in a process of its own, or why it does not: this process
    never imports torch."""
    command = [sys.executable, "-c", program, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=TORCH_SECONDS)
    except subprocess.TimeoutExpired:
        return f"does not load within {TORCH_SECONDS:.0f} s"
    if done.returncode != 0:
        reason = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        return f"does not load: {reason}"
    return json.loads(done.stdout.splitlines()[-1])
