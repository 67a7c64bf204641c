"""From a connection that fails, or an answer that makes no sense, to the exception to raise."""

from __future__ import annotations

from pydantic import ValidationError

from .clock import Deadline
from .config import Address
from .errors import (
    ConnectionFailed,
    DeadlineExceeded,
    LLMaaSError,
    MissingKey,
    Phase,
    UnexpectedResponse,
)
from .steps import Broken

_DURING: dict[Phase, str] = {
    "connect": "connecting",
    "answer": "waiting for the answer",
    "body": "reading the answer",
    "retry": "trying again",
}


def too_late(deadline: Deadline, phase: Phase) -> DeadlineExceeded:
    """The time for the whole call is over."""
    error = DeadlineExceeded(
        f"the call took longer than timeout={deadline.seconds:g} seconds; "
        f"they ended while {_DURING.get(phase, phase)}",
        hint="Raise timeout, or ask for less.",
    )
    error.phase = phase
    return error


def broken(connection: Broken, address: Address, deadline: Deadline) -> LLMaaSError:
    """A connection that failed before the answer was whole."""
    match connection.kind:
        case "timeout":
            return too_late(deadline, connection.phase)
        case "garbled":
            return UnexpectedResponse(
                f"{address.url} does not speak HTTP as it should: {connection.reason}",
                hint="Is base_url the address of llmaas?",
            )
        case "lost":
            return ConnectionFailed(
                f"the connection to {address.url} broke before the answer was whole: "
                f"{connection.reason}",
                hint="The work may have been done: ask again only if that does no harm.",
            )
        case "connect":
            return _no_connection(connection, address)


def _no_connection(connection: Broken, address: Address) -> ConnectionFailed:
    hint = "Check base_url, and that the server runs."
    message = f"{address.url} cannot be reached: {connection.reason}"
    if connection.refused:
        message = f"nothing listens on {address.url}"
        if address.is_local:
            hint = "start the server with: llmaas serve"
            message = f"{message}: {hint}"
    return ConnectionFailed(message, hint=hint, retryable=True)


def no_management_key(address: Address) -> MissingKey:
    """What manages needs a key of its own; the one that runs tasks would be refused."""
    return MissingKey(
        f"there is no management key for {address.url}",
        hint="Pass management_key=, or set LLMAAS_MANAGEMENT_KEY. On the server's machine it lies "
        "in LLMAAS_HOME; others get one from the server's operator, or by account.sign_in().",
    )


def unreadable(url: str, error: ValidationError) -> UnexpectedResponse:
    """An answer that is not of the shape it should have."""
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(part) for part in first["loc"]) or "the answer"
    return UnexpectedResponse(
        f"{url} answered with something else than expected: {place}: {first['msg']}",
        hint="Is base_url the address of llmaas, and as new as this client?",
    )
