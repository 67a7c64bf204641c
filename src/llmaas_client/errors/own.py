"""What the client itself finds: before it sends, on the way, and in what comes back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from .base import LLMaaSError

if TYPE_CHECKING:
    from llmaas_client.tools.steps import Step
    from llmaas_client.wire.chat import ChatResult, Message


class ConfigurationError(LLMaaSError, ValueError):
    """The client was told something impossible: an address, a key, a timeout, a file."""

    code = "configuration_error"


class ConnectionFailed(LLMaaSError, ConnectionError):
    """No answer came: nothing listens there, the name is unknown, or the line broke.

    `retryable` is true where nothing had been sent yet.
    """

    code = "connection_failed"


class StreamInterrupted(LLMaaSError, ConnectionError):
    """A stream ended before its end. `partial` is the text that had come."""

    code = "stream_interrupted"

    def __init__(self, message: str, *, partial: str = "", hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.partial = partial


class NotRecorded(LLMaaSError, LookupError):
    """The cassette that is replayed has no answer to this request."""

    code = "not_recorded"


class UnexpectedResponse(LLMaaSError):
    """What answered does not speak this contract: another program, a proxy, another version."""

    code = "unexpected_response"


class UnsupportedType(LLMaaSError, TypeError):
    """A type that no JSON schema describes, or no grammar can hold: nothing was sent."""

    code = "unsupported_type"


class OutputError(LLMaaSError, ValueError):
    """An answer is not what `returns=` asked for. `result` is all of it."""

    code = "output"

    def __init__(
        self, message: str, *, hint: str | None = None, result: ChatResult | None = None
    ) -> None:
        super().__init__(
            message, hint=hint, request_id=None if result is None else result.request_id
        )
        self.result = result


class OutputTruncated(OutputError):
    """An answer ended before it was whole. `partial` is the text that came."""

    code = "output_truncated"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        result: ChatResult | None = None,
        partial: str = "",
    ) -> None:
        super().__init__(message, hint=hint, result=result)
        self.partial = partial


class OutputMismatch(OutputError):
    """An answer follows the schema, but is no valid value. `problems` has one line for each."""

    code = "output_mismatch"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        result: ChatResult | None = None,
        text: str = "",
        problems: Sequence[str] = (),
    ) -> None:
        super().__init__(message, hint=hint, result=result)
        self.text = text
        self.problems = list(problems)


class StepLimitReached(LLMaaSError):
    """The model went on calling tools. `steps` has all that happened, `messages` all of it as a
    conversation that can go on."""

    code = "step_limit"

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        steps: Sequence[Step] = (),
        messages: Sequence[Message] = (),
    ) -> None:
        super().__init__(message, hint=hint)
        self.steps = tuple(steps)
        self.messages = list(messages)
