"""Decide: several questions about one text, each with answers of its own to choose from."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from .base import Request, Result, TaskRequest, Text, WireModel, invalid
from .classify import Labels
from .spec import TaskSpec

MAX_QUESTIONS = 4 * 100

Question = Annotated[Text, Field(max_length=4000)]


class Choose(Request):
    """Which of these answers is right?"""

    question: Question
    labels: Labels = Field(description="The answers: names, or name -> description; two or more.")

    @model_validator(mode="after")
    def _enough(self) -> Choose:
        if len(self.labels) < 2:
            raise invalid("is at least two answers", "labels")
        return self


class Hold(Request):
    """Is this true of the text?"""

    statement: Question


class DecideRequest(TaskRequest):
    """A text, and what is to be decided about it."""

    text: Text
    questions: Annotated[list[Choose | Hold], Field(min_length=1, max_length=MAX_QUESTIONS)]


class Decided(WireModel):
    """The answer to one question: how likely each of its labels is, or the only statement.

    They sum to 1, but for a statement. `calibration` `none` says that they are scores, and not
    probabilities that anybody has held against the truth.
    """

    scores: list[float]
    """In the order of the labels."""
    method: str
    calibration: str = "none"


class DecideResult(Result):
    """One answer for each question, in their order."""

    decisions: list[Decided]


SPEC = TaskSpec("decide", DecideRequest, DecideResult, streams=False)
