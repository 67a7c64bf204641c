"""Errors of torch and transformers that one job, or one model, is to blame for.

Anything else that a forward pass raises may have left memory and device in any state.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from llmaas_server.errors import Problem


@contextmanager
def blamed() -> Iterator[None]:
    """Raise a Problem in place of an error that the work within is itself to blame for."""
    try:
        yield
    except (IndexError, ValueError) as error:  # an id beyond the vocabulary, a shape refused
        raise Problem(
            "internal_error", f"the model cannot compute this text: {first_line(error)}"
        ) from error
    except Exception as error:
        if not is_of_memory(error):
            raise
        raise Problem(
            "out_of_memory", "there is not enough memory to compute this request"
        ) from error


def is_of_memory(error: Exception) -> bool:
    """torch's allocator on the CPU raises a plain RuntimeError."""
    out = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return out or "DefaultCPUAllocator" in str(error)


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
