"""Where the server's log goes: stderr, one line for each event."""

from __future__ import annotations

import logging


def configure(level: str) -> None:
    logging.basicConfig(
        level=level.upper(), format="%(asctime)s %(levelname)-7s %(name)s %(message)s"
    )
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # its own start and end say no more
