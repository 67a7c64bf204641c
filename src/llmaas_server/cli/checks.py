"""What `llmaas doctor` looks at. Each check only looks, and says what to type where it is amiss."""

from __future__ import annotations

import importlib.util
import json
import os
import platform
import re
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import TYPE_CHECKING, Any, Literal

from .listener import version_at

if TYPE_CHECKING:
    from llmaas_server.settings import Settings

LEAST_PYTHON = (3, 11)
LEAST_MEMORY = 2 << 30
LEAST_DISK = 2 << 30
HUB = "https://huggingface.co"
NETWORK_SECONDS = 10.0
TORCH_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `wrong` keeps the server from working; `weak` is worth knowing."""

    what: str
    state: Literal["ok", "weak", "wrong"]
    found: str
    remedy: str | None = None


def python() -> Iterator[Finding]:
    found = f"{platform.python_version()} at {sys.executable}"
    if sys.version_info < LEAST_PYTHON:
        yield Finding("python", "wrong", found, "install Python 3.11 or newer")
    else:
        yield Finding("python", "ok", found)


def packages() -> Iterator[Finding]:
    """All that the `server` extra needs, by the distribution's own metadata."""
    needed = [line for line in requires("llmaas") or [] if "extra" not in line or "server" in line]
    names = [re.split(r"[^A-Za-z0-9_.-]", line, maxsplit=1)[0] for line in needed]
    versions = {name: _version(name) for name in names}
    missing = [name for name, found in versions.items() if found is None]
    if missing:
        yield Finding(
            "packages", "wrong", f"missing: {', '.join(missing)}", "pip install 'llmaas[server]'"
        )
    else:
        yield Finding("packages", "ok", ", ".join(f"{n} {v}" for n, v in versions.items()))


def pip() -> Iterator[Finding]:
    if importlib.util.find_spec("pip") is None:
        yield Finding(
            "pip", "weak", "not here: models in wheels cannot be pulled", "python -m ensurepip"
        )
    else:
        yield Finding("pip", "ok", _version("pip") or "here")


_TORCH = """
import json, torch
print(json.dumps({
    "version": torch.__version__,
    "threads": torch.get_num_threads(),
    "cpu": torch.backends.cpu.get_cpu_capability(),
    "features": [
        name
        for name in ("avx512_vnni", "avx512_bf16", "amx_tile", "amx_int8")
        if torch.cpu.get_capabilities().get(name)
    ],
    "cuda": [
        f"{torch.cuda.get_device_name(i)} (cuda:{i}, "
        f"{torch.cuda.get_device_properties(i).total_memory / (1 << 30):.0f} GiB)"
        for i in range(torch.cuda.device_count())
    ],
}))
"""


def torch() -> Iterator[Finding]:
    """In a process of its own: this one never imports torch."""
    if _version("torch") is None:
        yield Finding("torch", "wrong", "not installed", "pip install 'llmaas[server]'")
        return
    found = _ask(_TORCH)
    if isinstance(found, str):
        yield Finding("torch", "wrong", found, "pip install --force-reinstall torch")
        return
    devices = ", ".join(found["cuda"]) or "no GPU"
    yield Finding("torch", "ok", f"{found['version']}, {devices}")
    cpu = ", ".join([found["cpu"], *found["features"]])
    cpu += f", {found['threads']} threads of {os.cpu_count()} processors"
    if found["cpu"] == "DEFAULT" and platform.machine() in {"x86_64", "AMD64"}:
        yield Finding("cpu", "weak", f"{cpu}: without AVX2 all is slow", "take a newer machine")
    else:
        yield Finding("cpu", "ok", cpu)


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
        yield Finding(
            "kernels",
            "weak",
            "torch alone, several times slower: there is no C++ compiler",
            "install g++ or clang++",
        )


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


def memory() -> Iterator[Finding]:
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if total < LEAST_MEMORY:
        yield Finding("memory", "weak", _size(total), f"{_size(LEAST_MEMORY)} or more")
    else:
        yield Finding("memory", "ok", _size(total))


def disk(settings: Settings) -> Iterator[Finding]:
    folder = next(path for path in (settings.cache, *settings.cache.parents) if path.exists())
    free = shutil.disk_usage(folder).free
    found = f"{_size(free)} free for {settings.cache}"
    if not os.access(folder, os.W_OK):
        yield Finding("cache", "wrong", f"{folder} cannot be written", "set LLMAAS_CACHE")
    elif free < LEAST_DISK:
        yield Finding("cache", "weak", found, "make room, or set LLMAAS_CACHE to another disk")
    else:
        yield Finding("cache", "ok", found)


def home(settings: Settings) -> Iterator[Finding]:
    """Keys must be their owner's alone."""
    if not settings.home.exists():
        yield Finding("home", "ok", f"{settings.home} will be made by `llmaas serve`")
        return
    files = [settings.home, *sorted(settings.home.glob("*.json"))]
    open_files = [path for path in files if path.stat().st_mode & 0o077]
    if open_files:
        yield Finding(
            "home",
            "wrong",
            f"others may read {', '.join(map(str, open_files))}",
            f"chmod -R go= {settings.home}",
        )
    else:
        yield Finding("home", "ok", str(settings.home))


def models(settings: Settings) -> Iterator[Finding]:
    """Every default model is here, and its files are what they were."""
    from llmaas_server.errors import Problem
    from llmaas_server.models.store import Store

    store = Store(settings.cache)
    for name in sorted(_default_models(settings)):
        try:
            store.verify(name)
        except Problem as problem:
            yield Finding(f"model {name}", "wrong", problem.message, problem.hint)
        else:
            yield Finding(f"model {name}", "ok", "here, and whole")


def port(settings: Settings) -> Iterator[Finding]:
    where = f"{settings.host}:{settings.port}"
    if running := version_at(settings.host, settings.port):
        yield Finding("port", "ok", f"an llmaas server, version {running}, answers at {where}")
        return
    try:
        socket.create_server((settings.host, settings.port)).close()
    except OSError as error:
        yield Finding("port", "wrong", f"{where}: {error.strerror}", "llmaas serve --port N")
    else:
        yield Finding("port", "ok", f"{where} is free")


def hub() -> Iterator[Finding]:
    request = urllib.request.Request(HUB, method="HEAD")
    try:
        urllib.request.urlopen(request, timeout=NETWORK_SECONDS).close()
    except urllib.error.HTTPError:
        pass  # it answered, and that is what was asked
    except OSError as error:
        reason = getattr(error, "reason", error)
        yield Finding(
            "hub",
            "weak",
            f"{HUB} cannot be reached: {reason}",
            "check the proxy (HTTPS_PROXY); the models in wheels need no hub",
        )
        return
    yield Finding("hub", "ok", f"{HUB} answers")


def all_checks(settings: Settings, *, network: bool) -> list[Callable[[], Iterator[Finding]]]:
    """In the order in which they are told: what the later ones need comes first."""
    checks: list[Callable[[], Iterator[Finding]]] = [python, packages, pip, torch, memory]
    checks += [
        lambda: kernels(settings),
        lambda: disk(settings),
        lambda: home(settings),
        lambda: models(settings),
        lambda: port(settings),
    ]
    return [*checks, hub] if network else checks


def _default_models(settings: Settings) -> set[str]:
    return {
        settings.classify_model,
        settings.summarize_model,
        settings.abstractive_model,
        settings.chat_model,
        settings.embed_model,
        settings.predict_model,
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB"
