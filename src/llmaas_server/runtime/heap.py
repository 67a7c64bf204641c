"""Memory that was freed, back to the machine."""

from __future__ import annotations

import ctypes


def give_back() -> None:
    """Return what is free to the system, in tens of milliseconds and without the interpreter.

    glibc keeps freed tensors below 32 MB for itself: half a gigabyte, after a small model.
    Elsewhere nothing needs to be done.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
