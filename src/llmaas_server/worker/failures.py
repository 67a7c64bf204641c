"""Any exception as what the front is told, and what the log is told."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator

from pydantic import ValidationError

from llmaas_client.wire.validation import explain
from llmaas_server.errors import Problem
from llmaas_server.seam.failures import failure_of
from llmaas_server.seam.values import Failure

logger = logging.getLogger(__name__)


def failure_of_any(error: Exception, what: str) -> Failure:
    """A Problem as it is; anything unexpected as `internal_error`, with its place in the log."""
    if isinstance(error, Problem):
        return failure_of(error)
    if isinstance(error, ValidationError):
        detail = explain(error).error
        return Failure(detail.code, detail.message, hint=detail.hint, param=detail.param)
    logger.error("%s failed:\n%s", what, "\n".join(_places(error)))
    return Failure("internal_error", f"the worker failed: {type(error).__name__}")


def _places(error: BaseException) -> Iterator[str]:
    """Where each exception of the chain came from. Messages can quote a caller's text: left out."""
    if cause := error.__cause__ or error.__context__:
        yield from _places(cause)
    yield "".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__
