"""Records: requests and answers of applications that have `retention` on."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, Field

from .base import WireModel


class RecordInfo(WireModel):
    """Which call it is."""

    id: str
    application_id: str
    key_id: str
    task: str
    model: str
    made_at: AwareDatetime
    expires_at: AwareDatetime


class Record(RecordInfo):
    """A call as it was asked and answered."""

    request: dict[str, Any]
    answer: dict[str, Any]


class RecordList(WireModel):
    records: list[RecordInfo]
    next: str | None = Field(
        default=None, description="Where there are more: `after` of the next page."
    )


class Removed(WireModel):
    """How many records are gone."""

    removed: int
