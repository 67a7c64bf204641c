"""Documents that an answer is to rest on, and what it rests on in them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from .base import Characters, Request, Text, WireModel

MAX_DOCUMENTS = 1000


class Document(Request):
    """A text of the caller's own, of any length."""

    text: Text
    title: Annotated[Characters, Field(max_length=512)] | None = Field(
        default=None, description="Told to the model with each passage."
    )
    id: Annotated[Characters, Field(max_length=512)] | None = Field(
        default=None, description="Your own; passages and citations have it."
    )


class Span(WireModel):
    """Characters `start` (inclusive) to `end` (exclusive) of a document."""

    document: int
    """Its place among the documents of the request, from 0."""
    id: str | None = None
    """The document's own, where it has one."""
    start: int
    end: int
    text: str


class Passage(Span):
    """What the model was given of a document. `score` is its likeness to the question: a cosine."""

    score: float


class Citation(Span):
    """What a sentence of the answer rests on, and how well that supports it, from 0 to 1."""

    answer_start: int
    answer_end: int
    """The sentence: these characters of the answer."""
    support: float


class Unsupported(WireModel):
    """A sentence of the answer that the documents do not support, and why."""

    answer_start: int
    answer_end: int
    text: str
    reasons: list[str]
