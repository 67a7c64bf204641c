"""docs/reference/errors.md, from the table of errors and the tree of exceptions."""

from __future__ import annotations

from collections.abc import Iterator

import llmaas_client.errors as exceptions
from llmaas_client.wire.errors import ERRORS

from .markdown import table


def lines() -> Iterator[str]:
    yield "# Errors"
    yield ""
    yield "Every error has one of these codes; the set is closed. Over HTTP the body is"
    yield ""
    yield "```json"
    yield '{"error": {"type": "…", "code": "…", "message": "…", "hint": "…", "param": null,'
    yield '           "request_id": "…", "retryable": false, "retry_after": null}}'
    yield "```"
    yield ""
    yield "and in a stream it is the data of an `error` event. In Python each code is an"
    yield "exception of its own, below `LLMaaSError`. *Again* marks errors after which the same"
    yield "request may be sent again without harm; the client does so by itself."
    yield ""
    classes = {one.code: one.__name__ for one in subclasses(exceptions.LLMaaSError)}
    rows = [
        (
            f"`{row.code}`",
            str(row.status),
            f"`{classes[row.code]}`",
            "again" if row.retryable else "",
            f"{row.meaning} {row.hint}",
        )
        for row in ERRORS.values()
    ]
    yield from table(["code", "status", "exception", "", "what it means, what to do"], rows)
    yield "The client has errors of its own, where no server answered as it should:"
    yield ""
    families = {row.type for row in ERRORS.values()}
    own = [
        (f"`{name}`", first_sentence(getattr(exceptions, name).__doc__))
        for code, name in classes.items()
        if code not in ERRORS and code not in families | {"error", "timeout"}
    ]
    yield from table(["exception", "what it means"], own)


def subclasses(root: type[exceptions.LLMaaSError]) -> Iterator[type[exceptions.LLMaaSError]]:
    """All classes below `root`, deepest last, so that a code ends up with its own class."""
    for one in root.__subclasses__():
        yield one
        yield from subclasses(one)


def first_sentence(text: str | None) -> str:
    return " ".join((text or "").split("\n\n")[0].split())
