"""What all their requests have in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field, model_validator

from llmaas_client.wire.base import Request
from llmaas_server.api.context import Statuses
from llmaas_server.api.problems import NATIVE
from llmaas_server.compat.openai.fields import refused


class Payload(Request):
    """Null is the same as absent. What `REFUSED` names is refused with its reason."""

    REFUSED: ClassVar[dict[str, str]] = {}

    @model_validator(mode="before")
    @classmethod
    def _what_there_is(cls, given: Any) -> Any:
        if not isinstance(given, dict):
            return given
        for name, value in given.items():
            if value is not None and name in cls.REFUSED:
                raise refused(name, cls.REFUSED[name])
        return {name: value for name, value in given.items() if value is not None}


class NamedModel(Payload):
    """Their clients name models in the address: `?model=` says the same as this field."""

    model: str | None = Field(
        default=None, min_length=1, max_length=512, description="The address may name it, too."
    )


class HuggingFaceFormat:
    """What all formats of this wire have in common."""

    asks: ClassVar[bool] = True
    statuses: ClassVar[Statuses] = NATIVE
