"""The formats that our runtime can compute in, by name."""

from __future__ import annotations

from pathlib import Path

from llmaas_server.models.store import Store
from llmaas_server.runtime.kernels.build import CannotBuild, build
from llmaas_server.seam.values import ModelRef, WorkerOptions

from .figures import note

REFERENCE = "fp32"
DEFAULT = "auto"
FORMATS = (REFERENCE, "bf16", DEFAULT, "int8", "int4")


def worker_options(name: str, threads: int, kernels: Path) -> WorkerOptions:
    """Options of a worker that computes in the format. Without a compiler all is left to torch."""
    match name:
        case "fp32" | "none":
            return WorkerOptions(threads=threads, dtype="float32", quantization="none")
        case "bf16":
            return WorkerOptions(threads=threads, dtype="bfloat16", quantization="none")
        case "auto" | "int8" | "int4":
            return WorkerOptions(
                threads=threads, quantization=name, kernels=str(kernels) if built(kernels) else ""
            )
        case _:
            raise ValueError(f"no format {name!r}; there are {', '.join(FORMATS)}")


def built(kernels: Path) -> bool:
    """Whether they are there. They are built now where they are missing, as a server does in the
    background at its first start: no measurement runs without them."""
    try:
        build(kernels)
    except CannotBuild as error:
        note(f"no kernels: {error}")
        return False
    return True


def ref(cache: Path, name: str) -> ModelRef:
    """Raises Problem where the model was not pulled."""
    return Store(cache).ref(name)
