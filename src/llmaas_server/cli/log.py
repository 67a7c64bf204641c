"""Where the server's log goes: stderr, one line for each event."""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from typing import Literal

OURS = ("llmaas", "llmaas_server")


def configure(level: str, format: Literal["text", "json"] = "text") -> None:
    """Log our own events from `level` on, those of libraries from warnings on: at `debug` some
    write what goes through them."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if format == "json" else TextFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelName(level.upper())))
    for name in OURS:
        logging.getLogger(name).setLevel(level.upper())


class TextFormatter(logging.Formatter):
    """For people."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(name)s %(message)s")

    def formatException(self, ei: object) -> str:
        return frames_of(ei)


class JsonFormatter(logging.Formatter):
    """For programs: an object for each line, with the fields of values that have some."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
        }
        fields = getattr(record.msg, "fields", None)
        line |= {"event": "request", **fields()} if fields else {"message": record.getMessage()}
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
