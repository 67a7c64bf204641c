"""A worker never outlives its front."""

from __future__ import annotations

import os
import select
import socket
import threading
import time

_EXIT_STATUS = 70
"""EX_SOFTWARE of sysexits.h."""


def follow(connected: socket.socket, grace: float) -> None:
    """End this process `grace` seconds after the other end of the socket has closed.

    The worker's loop sees the end of the connection too and ends in order; this thread is for the
    time when the loop is stuck, or when a thread that still computes would hold up the exit.
    """
    # A copy: the number of the original can name another file once its owner has closed it.
    copy = connected.dup()
    threading.Thread(target=_watch, args=(copy, grace), name="lifeline", daemon=True).start()


def _watch(connected: socket.socket, grace: float) -> None:
    poll = select.poll()
    poll.register(connected, 0)  # A hang-up is always reported; data is not asked for.
    poll.poll()
    time.sleep(grace)
    os._exit(_EXIT_STATUS)
