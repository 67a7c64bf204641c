"""Settings: what cannot be, what has no effect, and what goes against something else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import get_close_matches
from typing import TYPE_CHECKING

from llmaas_client import config as client
from llmaas_server.models import machine

from .finding import Finding, size, word
from .installation import version_of

if TYPE_CHECKING:
    from llmaas_server.settings import Settings, SettingsError


def unusable(error: SettingsError) -> Iterator[Finding]:
    """Why the settings cannot be read at all."""
    source = error.source
    if source.startswith("LLMAAS_"):
        remedy = f"set {source} to what is expected, or type: unset {source}"
    elif source.startswith(("-", "config")):
        remedy = "name a file that is there: llmaas doctor --config FILE"
    else:
        remedy = f"change it there: ${{EDITOR:-vi}} {source}"
    yield Finding("settings", "wrong", str(error), remedy)


def variables() -> Iterator[Finding]:
    """Whether all of the environment that is meant for llmaas is read by it."""
    from llmaas_server.settings import ENV_PREFIX, Settings, variables

    known = client.VARIABLES | {f"{ENV_PREFIX}{name.upper()}" for name in Settings.model_fields}
    unknown = [name for name in variables() if name not in known]
    for name in unknown:
        close = get_close_matches(name, known, n=1)
        meant = f", but {close[0]} is" if close else ""
        remedy = f"unset {name}" + (f", and set {close[0]}" if close else "")
        yield Finding("environment", "weak", f"{name} is read by nothing{meant}", remedy)
    if not unknown:
        yield Finding("environment", "ok", "all variables LLMAAS_… are known")


def settings(settings: Settings) -> Iterator[Finding]:
    """What of them goes against something else."""
    found = [
        *_both_keys(settings),
        *_tracing(settings),
        *_no_effect(settings),
        *_other_file(settings),
        *_other_home(settings),
        *_budget(settings),
    ]
    where = f"from {settings.config}" if settings.config else "no settings file"
    yield from found or [Finding("settings", "ok", where)]


def _both_keys(settings: Settings) -> Iterator[Finding]:
    if settings.encryption_key is not None and settings.encryption_key_command is not None:
        found = "encryption_key and encryption_key_command are both set: the server will not start"
        yield Finding("settings", "wrong", found, "unset LLMAAS_ENCRYPTION_KEY, or the command")


def _tracing(settings: Settings) -> Iterator[Finding]:
    if settings.tracing != "off" and version_of("opentelemetry-sdk") is None:
        found = f"tracing is {settings.tracing}, and what it needs is not installed"
        yield Finding("settings", "wrong", found, "pip install 'llmaas[otel]'")


def _no_effect(settings: Settings) -> Iterator[Finding]:
    quantized = settings.quantization in ("int8", "int4") or settings.model_quantization
    if quantized and settings.dtype != "auto":
        found = f"quantization has no effect beside dtype = {settings.dtype}"
        yield Finding("settings", "weak", found, "set dtype to auto")
    if quantized and all(one.startswith("cuda") for one in settings.devices):
        found = f"quantization is for a CPU, and device is {settings.device}"
        yield Finding("settings", "weak", found, "set quantization to auto")
    processors = os.cpu_count() or 1
    if settings.threads is not None and settings.threads > processors:
        found = f"threads = {settings.threads} on {processors} processors: they wait for each other"
        yield Finding("settings", "weak", found, f"set threads to {processors} or less")


def _other_file(settings: Settings) -> Iterator[Finding]:
    from llmaas_server.settings import FILE_NAME

    at_home = settings.home / FILE_NAME
    if settings.config not in (None, at_home) and at_home.is_file():
        found = f"{at_home} is not read: {settings.config} is, and goes before it"
        yield Finding("settings", "weak", found, f"mv {word(at_home)} {word(at_home)}.unused")


def _other_home(settings: Settings) -> Iterator[Finding]:
    looked_at = client.home().expanduser().absolute()
    if looked_at != settings.home:
        found = f"the keys will be in {settings.home}, and clients look for them in {looked_at}"
        yield Finding("settings", "weak", found, f"export LLMAAS_HOME={word(settings.home)}")


def _budget(settings: Settings) -> Iterator[Finding]:
    """Only of the CPU: the memory of a GPU is seen by the worker, which refuses what it has not."""
    budget, kv = settings.memory_bytes, settings.kv_bytes
    has = machine.cpu_memory_bytes()
    uses_cpu = any(not one.startswith("cuda") for one in settings.devices)
    fitting = f"{int(has * machine.SHARE_FOR_MODELS) >> 20}MiB"
    if budget is not None and uses_cpu and budget > has:
        found = (
            f"memory_bytes is {size(budget)}, and this machine has {size(has)}: the system may "
            "end the worker"
        )
        yield Finding("settings", "weak", found, f'set memory_bytes = "{fitting}"')
    if kv > (budget or has):
        found = f"kv_bytes is {size(kv)}, more than all models may have ({size(budget or has)})"
        yield Finding("settings", "wrong", found, 'set kv_bytes = "1GiB" or less')
