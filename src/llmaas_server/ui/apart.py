"""Read a file in a process of its own: a hostile or enormous one costs that process, for a while.

The parent sends the bytes, the child answers with one line of JSON: the text, or what is wrong.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from contextlib import suppress

from llmaas_server.errors import Problem
from llmaas_server.settings import worker_environment

from .reading import text_of

SECONDS = 30.0
"""Of the clock; a book of 1000 pages takes ten."""
MEMORY_BYTES = 2 << 30
"""Of addresses."""


async def text_apart(
    name: str, content: bytes, *, seconds: float = SECONDS, memory_bytes: int = MEMORY_BYTES
) -> str:
    """As `text_of`. Also raises Problem `invalid_request` where it takes too long or too much."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __name__, name, str(memory_bytes),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
        env=worker_environment(),
    )  # fmt: skip
    try:
        said, _ = await asyncio.wait_for(process.communicate(content), seconds)
    except TimeoutError:
        raise _refused(f"reading the file takes more than {seconds:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
    if process.returncode != 0:
        raise _refused("reading the file takes too much memory, or it is damaged")
    answer = json.loads(said)
    if "text" not in answer:
        raise Problem(answer["code"], answer["message"], hint=answer["hint"])
    text: str = answer["text"]
    return text


def _refused(message: str) -> Problem:
    return Problem("invalid_request", message, hint="Paste its text, or split the file.")


def main(name: str, memory_bytes: int) -> None:
    """The child."""
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    try:
        answer: dict[str, str | None] = {"text": text_of(name, sys.stdin.buffer.read())}
    except Problem as problem:
        answer = {"code": problem.code, "message": problem.message, "hint": problem.hint}
    sys.stdout.write(json.dumps(answer))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
