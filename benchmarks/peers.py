"""The servers that are measured: ours and those that people would pick instead."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llmaas_client.wire.credentials import FILE_NAME, Credentials

from .figures import note
from .formats import built
from .options import Options
from .processes import free_port, running, wait_until_ready

SLOTS = 16
"""Sequences that llama-server computes at once."""
SLOT_TOKENS = 1024
LLMAAS = (sys.executable, "-c", "from llmaas_client.cli import main; raise SystemExit(main())")


@dataclass(frozen=True, slots=True)
class Served:
    """A server that is ready."""

    url: str
    pid: int
    key: str | None = None
    model: str | None = None
    ignores_eos: bool = True
    """Whether it knows the field; else `extra` says the same in its own words."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    ready_seconds: float = 0.0


@contextmanager
def ours(options: Options, quantization: str = "auto") -> Iterator[Served]:
    """`llmaas serve` with the embedded models, in a home of its own."""
    built(options.kernels)
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryDirectory() as home:
        where = ["--port", str(port), "--home", home, "--cache", str(options.cache)]
        command = [*LLMAAS, "serve", *where, "--threads", str(options.threads)]
        with running(command, {"LLMAAS_QUANTIZATION": quantization}) as process:
            seconds = wait_until_ready(process, f"{url}/health/ready")
            credentials = Credentials.model_validate_json((Path(home) / FILE_NAME).read_bytes())
            key = credentials.servers[url].inference_key
            yield Served(url, process.pid, key=key, ready_seconds=seconds)


@contextmanager
def llama_server(options: Options, program: Path, gguf: Path) -> Iterator[Served]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        program,
        *("--model", gguf, "--host", "127.0.0.1", "--port", str(port)),
        *("--threads", str(options.threads), "--threads-batch", str(options.threads)),
        *("--parallel", str(SLOTS), "--ctx-size", str(SLOTS * SLOT_TOKENS)),
    ]
    with running(command) as process:
        seconds = wait_until_ready(process, f"{url}/health")
        yield Served(url, process.pid, ready_seconds=seconds)


@contextmanager
def transformers_serve(options: Options, python: Path, folder: Path) -> Iterator[Served]:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [
        python.with_name("transformers"),
        *("serve", folder, "--host", "127.0.0.1", "--port", str(port)),
        *("--device", "cpu", "--dtype", "bfloat16"),
    ]
    threads = {"OMP_NUM_THREADS": str(options.threads), "HF_HUB_OFFLINE": "1"}
    endless = json.dumps({"eos_token_id": None, "pad_token_id": 0, "do_sample": False})
    with running(command, threads) as process:
        seconds = wait_until_ready(process, f"{url}/health")
        yield Served(
            url,
            process.pid,
            model=str(folder),
            ignores_eos=False,
            extra={"generation_config": endless},
            ready_seconds=seconds,
        )


def our_names(options: Options) -> list[str]:
    """Ours, as tables call them; the first is what others are compared with."""
    return [f"llmaas {quantization}" for quantization in options.quantizations]


@contextmanager
def all_servers(options: Options) -> Iterator[dict[str, Served]]:
    """Every server that the options have what it needs for; all idle but the one that is asked."""
    with ExitStack() as stack:
        found: dict[str, Served] = {}

        def add(name: str, server: Any) -> None:
            note(f"starting {name}")
            found[name] = stack.enter_context(server)

        for name, quantization in zip(our_names(options), options.quantizations, strict=True):
            add(name, ours(options, quantization))
        program = options.llama("llama-server")
        for label, gguf in options.gguf.items():
            if program is not None:
                add(f"llama-server {label}", llama_server(options, program, gguf))
        if options.peers_python is not None and options.hf_model is not None:
            python, folder = options.peers_python, options.hf_model
            add("transformers serve bf16", transformers_serve(options, python, folder))
        yield found
