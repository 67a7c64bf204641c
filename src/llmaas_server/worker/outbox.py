"""What the worker has to say, gathered: one frame for all that a turn of the loop brought."""

from __future__ import annotations

import asyncio

from llmaas_server.seam.channel import Channel
from llmaas_server.seam.frames import Answer, Answers, FrameError, FrontFrame, Saying
from llmaas_server.seam.values import Failure


class Outbox:
    """Answers wait here for the end of the turn, or while the front reads slowly."""

    def __init__(self, channel: Channel[FrontFrame]) -> None:
        self._channel = channel
        self._waiting: list[Answer] = []
        self._filled = asyncio.Event()
        self._put = 0

    @property
    def progress(self) -> int:
        """How many answers there were."""
        return self._put

    def put(self, request_id: int, saying: Saying) -> None:
        self._waiting.append(Answer(request_id, saying))
        self._put += 1
        self._filled.set()

    async def send_forever(self) -> None:
        """Send what was put. A task that was woken by `put` runs after all that ran beside it."""
        while True:
            await self._filled.wait()
            self._filled.clear()
            answers, self._waiting = self._waiting, []
            self._send(answers)
            await self._channel.drain()

    def _send(self, answers: list[Answer]) -> None:
        """As one frame; as smaller ones where one would be too large."""
        try:
            self._channel.send(Answers(answers))
        except FrameError as error:
            if len(answers) == 1:
                too_large = Failure("internal_error", f"the result cannot be sent: {error}")
                self._channel.send(Answers([Answer(answers[0].id, too_large)]))
                return
            half = len(answers) // 2
            self._send(answers[:half])
            self._send(answers[half:])
