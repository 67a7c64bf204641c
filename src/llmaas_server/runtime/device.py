"""Where and how a worker computes: device, type of numbers, threads."""

from __future__ import annotations

import torch

from llmaas_server.errors import Problem
from llmaas_server.models.machine import cpu_memory_bytes, physical_cores
from llmaas_server.seam.values import WorkerOptions


def device_of(options: WorkerOptions) -> torch.device:
    """The device of the options; `auto` is the first GPU where there is one, else the CPU.

    Raises Problem `internal_error` where the machine has no such device.
    """
    if options.device == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else torch.device("cpu")
    device = torch.device(options.device)
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise Problem(
            "internal_error",
            f"the device {options.device!r} is not there: torch sees "
            f"{torch.cuda.device_count()} GPUs",
            hint="Set the device to `auto` or `cpu`.",
        )
    return device


def dtype_of(options: WorkerOptions, device: torch.device) -> torch.dtype:
    """The type of weights, keys and values; `auto` is float32 on a CPU and bfloat16 on a GPU."""
    if options.dtype == "auto":
        return torch.float32 if device.type == "cpu" else torch.bfloat16
    return torch.float32 if options.dtype == "float32" else torch.bfloat16


def torch_name(dtype: torch.dtype) -> str:
    """What computes where torch does, for people: `torch bfloat16`."""
    return f"torch {str(dtype).removeprefix('torch.')}"


def memory_of(device: torch.device) -> int:
    """Bytes of memory of the device; on a CPU no more than this process may have."""
    if device.type == "cuda":
        return int(torch.cuda.get_device_properties(device).total_memory)
    return cpu_memory_bytes()


def set_threads(options: WorkerOptions) -> None:
    """Set the threads of arithmetic for this process: all threads that start later see it."""
    torch.set_num_threads(options.threads or physical_cores())
