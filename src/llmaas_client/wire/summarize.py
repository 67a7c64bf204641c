"""Summarize: a shorter text, and where each of its sentences comes from."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from .base import Result, TaskRequest, Texts, WireModel, check_text
from .spec import TaskSpec

Method = Literal["auto", "extractive", "abstractive"]
Length = Literal["short", "medium", "long"]
Style = Literal["paragraph", "bullets", "headline"]
Strategy = Literal["auto", "extract", "hierarchical"]

Focus = Annotated[str, Field(max_length=2000), AfterValidator(check_text)]
"""A question or a topic."""


class SummarizeRequest(TaskRequest):
    """A text of any length, or several documents to be summarized as one."""

    text: Texts
    method: Method = Field(
        default="auto",
        description="Extractive picks sentences of the source; abstractive writes new ones. "
        "auto is extractive unless the model named can only generate.",
    )
    length: Length = Field(default="medium", description="About 2, 4 or 8 sentences.")
    max_words: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Never exceeded. Text without spaces counts characters.",
    )
    style: Style = "paragraph"
    focus: Focus | None = Field(
        default=None,
        description="A question or a topic that the summary is to be about.",
    )
    strict: bool = Field(
        default=False,
        description="Leave out every sentence that the text does not support, rather than mark it.",
    )
    strategy: Strategy = Field(
        default="auto",
        description="How an abstractive summary reads what one prompt cannot hold: extract writes "
        "from the sentences that say the most, hierarchical reads all in parts and merges their "
        "summaries. auto takes extract, and hierarchical for books.",
    )
    stream: bool = False


class Source(WireModel):
    """A span of the source: characters `start` (inclusive) to `end` (exclusive) of a document."""

    start: int
    end: int
    document: int = 0


class SummarySentence(WireModel):
    """One sentence of the summary and the spans it rests on.

    `support` is how well they support it, from 0 to 1: 1 for a verbatim sentence, null where it
    was not measured. `supported` is false where that is too little, and `reasons` then says why,
    such as `the number 42 is not in the source`; a sentence with a number or a name of its own
    is not supported, however alike it is.
    """

    text: str
    sources: list[Source]
    support: float | None = None
    supported: bool | None = None
    reasons: list[str] = []


class SummarizeResult(Result):
    """A summary.

    `coverage` is the share of the source's characters in spans that a model really read.
    """

    summary: str
    sentences: list[SummarySentence]
    coverage: float
    method: Literal["extractive", "abstractive"]
    words: int
    """Words of the summary; characters for text without spaces."""
    parts: int = 1
    """How many parts the source was read in."""
    unsupported: int | None = None
    """How many sentences of the summary are not supported; null where that was not measured."""
    dropped: int = 0
    """How many sentences `strict` left out."""
    strategy: Literal["whole", "extract", "hierarchical"] | None = None
    """How the writing model read the source; null for extractive."""
    written_from: float | None = None
    """The share of the source's characters that the writing model itself read: 1.0 but for
    extract. Null for extractive."""

    @property
    def text(self) -> str:
        return self.summary


SPEC = TaskSpec("summarize", SummarizeRequest, SummarizeResult, streams=True)
