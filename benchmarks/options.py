"""What every benchmark can be told. Nothing is read from the environment."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

CHAT_MODEL = "smollm2-135m-instruct-q4_1"
EMBED_MODEL = "all-minilm-l6-v2"


@dataclass(frozen=True, slots=True)
class Options:
    """One run. What a peer needs and was not given, leaves the peer out."""

    quick: bool
    rounds: int
    threads: int
    clients: tuple[int, ...]
    """How many chat at once, for the benchmarks that serve them. Empty: the usual loads."""
    cache: Path
    """Of llmaas, with both embedded models in it."""
    eval_data: Path | None
    quantizations: tuple[str, ...]
    """Ours are measured with each of these settings."""
    llama_bin: Path | None
    gguf: dict[str, Path]
    peers_python: Path | None
    hf_model: Path | None
    openvino: dict[str, Path]
    output: Path | None
    command: str
    """What to type to run the same again."""

    @property
    def chat_folder(self) -> Path:
        return self.cache / "models" / CHAT_MODEL

    @property
    def embed_folder(self) -> Path:
        return self.cache / "models" / EMBED_MODEL

    @property
    def kernels(self) -> Path:
        return self.cache / "kernels"

    def llama(self, program: str) -> Path | None:
        return None if self.llama_bin is None else self.llama_bin / program


def parse(name: str, doc: str | None, words: Sequence[str] | None = None) -> Options:
    """The options of `python -m benchmarks.<name>`."""
    words = list(sys.argv[1:] if words is None else words)
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}", description=(doc or "").partition("\n")[0]
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="a short run: does it work? Its figures are noise")
    add("--rounds", type=int, help="measurements of each, in turns; default 5, with --quick 1")
    add("--threads", type=int, default=2, help="for the arithmetic of each server (default 2)")
    add(
        "--clients",
        type=int,
        action="append",
        default=[],
        help="chats at once; may come several times (default 1, 16, 32 and 64)",
    )
    add("--cache", type=Path, default=user_cache_path("llmaas"), help="llmaas's cache of models")
    add("--eval-data", type=Path, help="folder with mt_bench, dialogsum and mcq")
    add(
        "--quantization",
        action="append",
        choices=["auto", "none", "int8", "int4"],
        help="of ours; several are contestants of their own (default auto)",
    )
    add("--llama-bin", type=Path, help="folder with llama-server and llama-bench")
    add("--gguf", type=_named, action="append", default=[], metavar="FORMAT=FILE")
    add("--peers-python", type=Path, help="a Python that has the peers' packages")
    add("--hf-model", type=Path, help="the chat model as transformers reads it")
    add("--openvino", type=_named, action="append", default=[], metavar="FORMAT=PATH")
    add("--output", type=Path, help="add the rows to this Markdown file")
    found = parser.parse_args(words)
    return Options(
        quick=found.quick,
        rounds=found.rounds or (1 if found.quick else 5),
        threads=found.threads,
        clients=tuple(found.clients),
        cache=found.cache,
        eval_data=found.eval_data,
        quantizations=tuple(found.quantization or ["auto"]),
        llama_bin=found.llama_bin,
        gguf=dict(found.gguf),
        peers_python=found.peers_python,
        hf_model=found.hf_model,
        openvino=dict(found.openvino),
        output=found.output,
        command=shown(name, words),
    )


PLACES = ("--cache", "--eval-data", "--llama-bin", "--gguf", "--peers-python", "--hf-model",
          "--openvino", "--output")  # fmt: skip
"""Options that say where things lie: each machine has its own."""


def shown(name: str, words: Sequence[str]) -> str:
    """The command as tables have it: PLACES stands for the options that say where things lie."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    for option in PLACES:
        parser.add_argument(option, action="append")
    places, rest = parser.parse_known_args(words)
    some = ["PLACES"] if any(vars(places).values()) else []
    return shlex.join(["python", "-m", f"benchmarks.{name}", *rest, *some])


def _named(text: str) -> tuple[str, Path]:
    name, equals, path = text.partition("=")
    if not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=PATH")
    return name, Path(path)
