"""One worker process: started with one end of a socket pair, ended by closing the other."""

from __future__ import annotations

import asyncio
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping

from llmaas_server.seam.channel import Channel
from llmaas_server.seam.frames import WorkerFrame, worker_frames
from llmaas_server.seam.values import WorkerOptions

DEFAULT_RUNTIME = "llmaas_server.runtime.engine:create"

_OFFLINE = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    # Its own threads would compete with those of the arithmetic, and they do not survive a fork.
    "TOKENIZERS_PARALLELISM": "false",
}
_PATIENT = {
    # torch's threads sleep between two operations: awake they would take the cores from the kernels
    # and from the front.
    "OMP_WAIT_POLICY": "PASSIVE",
    # numpy works beside the steps, in threads of its own: more of them would wait awake, too.
    "OPENBLAS_NUM_THREADS": "1",
}
_STDERR = 2
_TRACEBACK_SECONDS = 0.2


def environment_of(options: WorkerOptions, given: Mapping[str, str]) -> dict[str, str]:
    """What torch reads before it knows of options: where it keeps what it has compiled."""
    kept = {"TORCHINDUCTOR_CACHE_DIR": options.compiled} if options.compiled else {}
    return {**given, **kept}


class WorkerProcess:
    """A running worker and the connection to it. Whoever started it calls `end`."""

    def __init__(self, process: subprocess.Popen[bytes], channel: Channel[WorkerFrame]) -> None:
        self._process = process
        self.channel = channel

    @classmethod
    async def start(cls, environment: Mapping[str, str], runtime: str) -> WorkerProcess:
        """`environment` is the whole environment, but for what keeps it offline and patient.

        Raises OSError where the process cannot be started.
        """
        ours, theirs = socket.socketpair()
        with theirs:
            # The channel first: once the process runs, nothing is awaited before it has an owner.
            try:
                channel = await Channel.open(ours, worker_frames())
            except BaseException:
                ours.close()
                raise
            try:
                process = _spawn(theirs.fileno(), {**_PATIENT, **environment, **_OFFLINE}, runtime)
            except OSError:
                channel.close()
                raise
        return cls(process, channel)

    @property
    def pid(self) -> int:
        return self._process.pid

    async def show_where_it_hangs(self) -> None:
        """Let the worker write the traceback of each of its threads to its log, if it still can."""
        self._process.send_signal(signal.SIGUSR1)
        await asyncio.sleep(_TRACEBACK_SECONDS)

    async def end(self, grace: float) -> int:
        """Close the connection, kill what is still there after `grace` seconds; the exit status.

        A negative status is the number of the signal that ended the process.
        """
        self.channel.close()
        ended = asyncio.ensure_future(asyncio.to_thread(self._process.wait))
        try:
            await asyncio.wait({ended}, timeout=grace)
        finally:
            self._process.kill()
        status = await ended
        await self.channel.wait_closed()
        return status


def _spawn(fd: int, environment: Mapping[str, str], runtime: str) -> subprocess.Popen[bytes]:
    # Not asyncio's subprocess: its signals and its watcher race for the exit status (3.11).
    return subprocess.Popen(
        [
            sys.executable,
            "-P",  # The working directory is not a place to import from.
            *("-m", "llmaas_server.worker"),
            *("--fd", str(fd), "--runtime", runtime),
        ],
        pass_fds=[fd],
        stdin=subprocess.DEVNULL,
        stdout=_STDERR,  # The front's own output is for answers.
        env=environment,
        # Ctrl-C is for the front: here it would come before the worker knows to ignore it, too.
        process_group=0,
    )
