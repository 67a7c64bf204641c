"""Models on their way to the server's machine, and into its memory."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field

from .base import Request, WireModel

PullState = Literal["waiting", "running", "done", "failed"]


class PullRequest(Request):
    """The body of `POST /v1/pulls`."""

    model: Annotated[str, Field(min_length=1, max_length=1024)] = Field(
        description="A name of the catalogue, a hub id (`org/model`, `org/model@revision`), or "
        "the path of a folder, a GGUF file or a wheel on the server's machine."
    )
    name: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        default=None, description="Of a model that comes from a path; else the file's."
    )


class PullFailure(WireModel):
    """Why a model did not come."""

    code: str
    message: str
    hint: str | None = None


class Pull(WireModel):
    """One model, brought in the background; one comes after the other."""

    id: str
    model: str
    """As it was asked for."""
    state: PullState
    stage: str | None = Field(default=None, description="What it does now.")
    done_bytes: int | None = None
    total_bytes: int | None = Field(default=None, description="Null where the source is silent.")
    name: str | None = Field(default=None, description="Of the model, where it is here.")
    error: PullFailure | None = None
    created_at: AwareDatetime
    ended_at: AwareDatetime | None = None


class PullList(WireModel):
    pulls: list[Pull] = Field(description="Since the server started; the newest first.")


class ResidentRequest(Request):
    """The body of `POST /v1/residents`."""

    model: Annotated[str, Field(min_length=1, max_length=512)]


class Unloaded(WireModel):
    """A model that is no longer in memory; its files stay."""

    id: str


class RemovedModel(WireModel):
    """A model whose files are gone."""

    id: str
