"""`POST /v1/decisions`: questions about a text, with probabilities for answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field, model_validator

from llmaas_client.wire.base import TaskRequest, Text, WireModel, invalid
from llmaas_client.wire.decide import MAX_QUESTIONS, Choose, DecideRequest, Hold
from llmaas_server.api.translated import Told
from llmaas_server.seam.values import Result

from .fields import Body
from .refusals import OpenAIFormat
from .responses.items import (
    CallItem,
    CallOutputItem,
    GivenItem,
    Item,
    ItemPart,
    MessageItem,
    text_of,
)
from .responses.shapes import InputTokensDetails, OutputTokensDetails, ResponseUsage

MAX_CHOICES = 255


Instructions = Text | Annotated[list[ItemPart], Field(min_length=1)]


class AskedQuestion(Item):
    instructions: Instructions
    name: str | None = None

    def asked(self) -> str:
        return text_of(self.instructions)


class PredicateQuestion(AskedQuestion):
    type: Literal["predicate"]


class DecisionChoice(Item):
    value: Text | bool
    description: Text | None = None

    @property
    def word(self) -> str:
        """What stands for the value before a model."""
        return self.value if isinstance(self.value, str) else ("yes" if self.value else "no")


class ChoiceQuestion(AskedQuestion):
    type: Literal["choice"]
    choices: Annotated[list[DecisionChoice], Field(min_length=2, max_length=MAX_CHOICES)]

    @model_validator(mode="after")
    def _once_each(self) -> ChoiceQuestion:
        if len({choice.word.strip() for choice in self.choices}) < len(self.choices):
            raise invalid("a value is there twice", "choices")
        return self


class DecisionLevel(Item):
    label: Text
    description: Text | None = None


class ScoreQuestion(AskedQuestion):
    type: Literal["score"]
    levels: Annotated[list[DecisionLevel], Field(min_length=2, max_length=MAX_CHOICES)]

    @model_validator(mode="after")
    def _once_each(self) -> ScoreQuestion:
        if len({level.label.strip() for level in self.levels}) < len(self.levels):
            raise invalid("a label is there twice", "levels")
        return self


GivenQuestion = Annotated[
    PredicateQuestion | ChoiceQuestion | ScoreQuestion, Field(discriminator="type")
]


class DecisionsBody(Body):
    """The body of `POST /v1/decisions`."""

    model: str
    input: Text | Annotated[list[GivenItem], Field(min_length=1)]
    questions: Annotated[list[GivenQuestion], Field(min_length=1, max_length=MAX_QUESTIONS)]


class PredicateAnswer(WireModel):
    type: Literal["predicate"] = "predicate"
    name: str | None
    probability: float


class ChoiceProbability(WireModel):
    value: str | bool
    probability: float


class ChoiceAnswer(WireModel):
    """`confidence` is the probability of the choice."""

    type: Literal["choice"] = "choice"
    name: str | None
    choice: str | bool
    confidence: float
    probabilities: list[ChoiceProbability]


class ScoreProbability(WireModel):
    label: str
    value: int
    probability: float


class ScoreAnswer(WireModel):
    """`score` is the mean of the levels' values, weighted by how likely they are."""

    type: Literal["score"] = "score"
    name: str | None
    score: float
    confidence: float
    probabilities: list[ScoreProbability]


class Decision(WireModel):
    """The answer of `POST /v1/decisions`, one answer for each question.

    `calibration`, of ours: `none` says that probabilities are scores that nobody has held
    against the truth.
    """

    object: Literal["decision"] = "decision"
    id: str
    model: str
    answers: list[PredicateAnswer | ChoiceAnswer | ScoreAnswer]
    usage: ResponseUsage
    calibration: str


@dataclass(frozen=True, slots=True)
class Decisions(OpenAIFormat):
    """Decide, as the OpenAI SDK calls it."""

    path: ClassVar[str] = "/v1/decisions"
    summary: ClassVar[str] = "Answer questions about a text, as the OpenAI SDK calls it"
    body: ClassVar[type[DecisionsBody]] = DecisionsBody
    answer: ClassVar[type[Decision]] = Decision
    task: ClassVar[str] = "classify"
    job: ClassVar[str] = "decide"

    def read(self, body: DecisionsBody) -> TaskRequest:
        text = body.input if isinstance(body.input, str) else "\n".join(_lines(body.input))
        questions = [_question(one) for one in body.questions]
        return DecideRequest(model=body.model, text=text, questions=questions)

    def write(self, body: DecisionsBody, told: Told, result: Result) -> Decision:
        decisions = result.body["decisions"]
        used = result.usage
        return Decision(
            id=told.id.replace("req_", "decision_", 1),
            model=told.model,
            answers=[
                _answer(question, decided["scores"])
                for question, decided in zip(body.questions, decisions, strict=True)
            ],
            usage=ResponseUsage(
                input_tokens=used.prompt_tokens,
                input_tokens_details=InputTokensDetails(cached_tokens=used.cached_tokens),
                output_tokens=0,
                output_tokens_details=OutputTokensDetails(reasoning_tokens=0),
                total_tokens=used.prompt_tokens,
            ),
            calibration=decisions[0]["calibration"],
        )


def _lines(items: Sequence[GivenItem]) -> Iterator[str]:
    """A conversation as one text."""
    for item in items:
        match item:
            case MessageItem():
                yield f"{item.role}: {text_of(item.content)}"
            case CallItem():
                yield f"call of {item.name}: {item.arguments}"
            case CallOutputItem():
                yield f"result: {text_of(item.output)}"
            case _:  # what was thought is no evidence
                continue


def _question(given: GivenQuestion) -> Choose | Hold:
    match given:
        case PredicateQuestion():
            return Hold(statement=given.asked())
        case ChoiceQuestion():
            named = [(choice.word, choice.description) for choice in given.choices]
        case ScoreQuestion():
            named = [(level.label, level.description) for level in given.levels]
    if all(description is None for _, description in named):
        return Choose(question=given.asked(), labels=[name for name, _ in named])
    return Choose(question=given.asked(), labels={name: about or name for name, about in named})


def _answer(
    question: GivenQuestion, scores: Sequence[float]
) -> PredicateAnswer | ChoiceAnswer | ScoreAnswer:
    best = max(range(len(scores)), key=scores.__getitem__)
    match question:
        case PredicateQuestion():
            return PredicateAnswer(name=question.name, probability=scores[0])
        case ChoiceQuestion():
            values = [choice.value for choice in question.choices]
            return ChoiceAnswer(
                name=question.name,
                choice=values[best],
                confidence=scores[best],
                probabilities=[
                    ChoiceProbability(value=value, probability=score)
                    for value, score in zip(values, scores, strict=True)
                ],
            )
    return ScoreAnswer(
        name=question.name,
        score=sum(value * score for value, score in enumerate(scores)),
        confidence=scores[best],
        probabilities=[
            ScoreProbability(label=level.label, value=value, probability=scores[value])
            for value, level in enumerate(question.levels)
        ],
    )
