"""Where the server's log goes: stderr, one line for each event, of the front and its workers."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Literal, Protocol, runtime_checkable

OURS = ("llmaas", "llmaas_server")

Level = Literal["debug", "info", "warning", "error"]
Format = Literal["text", "json"]


@runtime_checkable
class Event(Protocol):
    """What is logged as a value; its `str` is for people. All else is an event `message`."""

    @property
    def event(self) -> str:
        """What kind it is of."""

    def fields(self) -> dict[str, object]: ...


def configure(level: Level, format: Format = "text", process: str = "") -> None:
    """Log our own events from `level` on, those of libraries from warnings on: at `debug` some
    write what goes through them. `process` names who writes, where several do.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(process) if format == "json" else TextFormatter(process))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


class TextFormatter(logging.Formatter):
    """For people."""

    def __init__(self, process: str = "") -> None:
        who = f"{process} " if process else ""
        super().__init__(f"%(asctime)s %(levelname)-7s {who}%(name)s %(message)s")

    def formatException(self, ei: object) -> str:
        return frames_of(ei)


class JsonFormatter(logging.Formatter):
    """For programs: an object for each line, with the fields of what is an event."""

    def __init__(self, process: str = "") -> None:
        super().__init__()
        self._process = process

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        if self._process:
            line["process"] = self._process
        said: object = record.msg
        if isinstance(said, Event):
            line |= {"event": said.event, **said.fields()}
        else:
            line |= {"event": "message", "message": record.getMessage()}
        if record.exc_info:
            line["exception"] = frames_of(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def frames_of(info: object) -> str:
    """Where an exception was raised and of which type it is; not its text, which may hold what a
    user wrote."""
    if not isinstance(info, tuple) or info[0] is None:
        return ""
    kind, _, trace = info
    return f"{''.join(traceback.format_tb(trace))}{kind.__name__}"
