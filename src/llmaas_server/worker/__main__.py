"""The worker as a program; the front starts it with one end of a socket pair."""

from __future__ import annotations

import argparse
import asyncio
import faulthandler
import logging
import os
import signal
import socket
import sys
from importlib import import_module

from llmaas_server import log
from llmaas_server.seam.channel import Channel
from llmaas_server.seam.frames import FrameError, front_frames
from llmaas_server.seam.values import WorkerOptions

from .isolation import forbid_connections
from .lifeline import follow
from .session import RefusedError, UnusableError, WorkerRuntime, converse

logger = logging.getLogger("llmaas_server.worker")

_ENDING_SECONDS = 2.0
"""How long ending in order may take; there is nothing to save."""

_SWITCH_SECONDS = 0.0005
"""How long a thread keeps the interpreter from others. Each operation of a step asks for it anew:
with Python's own 5 ms, a step waits seconds for a thread that reads a model or a long text."""


def main() -> int:
    """Serve until the front closes the connection; 0 then, 1 where the worker cannot go on."""
    arguments = _parse(sys.argv[1:])
    log.configure("info", process=_name())  # until the front has said how
    # A crash in native code, and the front before it kills a worker that hangs, show where.
    faulthandler.enable()
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    # systemd reaches every process of a service; the front alone decides when its workers end.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connected = socket.socket(fileno=arguments.fd)
    connected.set_inheritable(False)
    follow(connected, _ENDING_SECONDS)
    forbid_connections()
    sys.setswitchinterval(_SWITCH_SECONDS)
    return asyncio.run(_serve(connected, arguments.runtime))


def _name() -> str:
    """What log lines say of this process."""
    return f"worker[{os.getpid()}]"


def _parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="llmaas_server.worker", description=__doc__)
    parser.add_argument("--fd", type=int, required=True, help="the connected socket")
    parser.add_argument(
        "--runtime",
        default="llmaas_server.runtime.engine:create",
        help="module:function that builds the runtime from WorkerOptions",
    )
    return parser.parse_args(arguments)


async def _serve(connected: socket.socket, runtime: str) -> int:
    channel = await Channel.open(connected, front_frames())
    module, _, function = runtime.partition(":")
    status = 0

    def create(options: WorkerOptions) -> WorkerRuntime:
        log.configure(options.log_level, options.log_format, _name())
        runtime: WorkerRuntime = getattr(import_module(module), function)(options)
        return runtime

    try:
        await converse(channel, create)
    except* RefusedError:
        status = 1
    except* (FrameError, UnusableError):
        logger.exception("this worker ends:")
        status = 1
    finally:
        channel.close()
        await channel.wait_closed()
    return status


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads that still tokenize, for nobody.
    os._exit(status)
