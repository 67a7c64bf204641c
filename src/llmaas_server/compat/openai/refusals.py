"""The statuses by which their clients choose the class of an error."""

from __future__ import annotations

from typing import ClassVar

from llmaas_client.wire.errors import ERRORS, ErrorBody
from llmaas_client.wire.sse import data
from llmaas_server.api.context import Statuses

STATUSES: Statuses = {
    ERRORS["invalid_request"].status: ERRORS["invalid_json"].status,
    ERRORS["budget_exceeded"].status: ERRORS["rate_limited"].status,
}
"""There a request that cannot be served is a bad one, and an exhausted budget a limit of rates."""


class OpenAIFormat:
    """What all formats of this wire have in common."""

    asks: ClassVar[bool] = False
    statuses: ClassVar[Statuses] = STATUSES

    def error(self, body: ErrorBody) -> bytes:
        """What a stream says that fails."""
        return data(body.model_dump_json())
