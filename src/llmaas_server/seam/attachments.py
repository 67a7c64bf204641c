"""Large values of requests cross a connection once: both ends keep the same ones.

Frames keep their order, so both ends see the same attachments in the same order, and drop the
same ones to stay within the same bound: the sender knows what the receiver has.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

from .frames import FrameError
from .values import Attached, Call

MOST_BYTES = 64 << 20


class Attachments:
    """One end of one connection. The least recently used go first."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._kept: OrderedDict[str, bytes] = OrderedDict()
        self._bytes = 0

    def lighten(self, call: Call) -> Call:
        """The call without what the other end has. Changes nothing: `note` it once it is sent."""
        attached = call.attached
        if attached is None or attached.digest not in self._kept:
            return call
        light = msgspec.structs.replace(attached, content=None)
        return msgspec.structs.replace(call, attached=light)

    def restore(self, call: Call) -> Call:
        """The call as it was before `lighten`, noted. Raises FrameError where that is unknown."""
        attached = call.attached
        if attached is not None and attached.content is None:
            if attached.digest not in self._kept:
                raise FrameError("the front left out what it had never sent")
            content = self._kept[attached.digest]
            attached = msgspec.structs.replace(attached, content=content)
            call = msgspec.structs.replace(call, attached=attached)
        self.note(call)
        return call

    def note(self, call: Call) -> None:
        """A whole call has crossed."""
        attached = call.attached
        if attached is None:
            return
        if attached.digest in self._kept:
            self._kept.move_to_end(attached.digest)
        else:
            self._keep(attached)

    def _keep(self, attached: Attached) -> None:
        content = attached.content or b""
        if len(content) > self._most:
            return
        self._kept[attached.digest] = content
        self._bytes += len(content)
        while self._bytes > self._most:
            _, dropped = self._kept.popitem(last=False)
            self._bytes -= len(dropped)
