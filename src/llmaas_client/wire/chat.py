"""Chat: the next message of a conversation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from .base import Characters, Request, Result, TaskRequest, WireModel
from .spec import TaskSpec

MAX_MESSAGES = 4096
MAX_STOPS = 16
MAX_CHOICES = 1024

Role = Literal["system", "user", "assistant"]
FinishReason = Literal["stop", "length"]


class Message(Request):
    """One turn of a conversation."""

    role: Role
    content: Characters

    @model_validator(mode="after")
    def _user_says_something(self) -> Message:
        if self.role == "user" and not self.content.strip():
            raise PydanticCustomError("empty_text", "a user message is empty", {"param": "content"})
        return self


Stop = Annotated[Characters, Field(min_length=1, max_length=256)]


class JsonFormat(Request):
    """One JSON object, of any shape."""

    type: Literal["json"] = "json"


class JsonSchemaFormat(Request):
    """JSON that a schema describes."""

    model_config = ConfigDict(serialize_by_alias=True, validate_by_name=True)

    type: Literal["json_schema"] = "json_schema"
    json_schema: dict[str, Any] = Field(alias="schema")


class RegexFormat(Request):
    """Text that a regular expression matches as a whole."""

    type: Literal["regex"] = "regex"
    pattern: Annotated[Characters, Field(min_length=1, max_length=10_000)]


class ChoiceFormat(Request):
    """One of these texts."""

    type: Literal["choice"] = "choice"
    choices: Annotated[
        list[Annotated[Characters, Field(min_length=1, max_length=1024)]],
        Field(min_length=1, max_length=MAX_CHOICES),
    ]


ResponseFormat = JsonFormat | JsonSchemaFormat | RegexFormat | ChoiceFormat
"""What an answer must be."""


class ChatRequest(TaskRequest):
    """A conversation so far, and how to sample what comes next.

    Sampling fields that are absent take the model's own generation defaults.
    """

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    max_tokens: int | None = Field(
        default=None,
        ge=1,
        le=1_000_000,
        description="Most tokens to generate; absent: 512, or what the context has left.",
    )
    temperature: float | None = Field(default=None, ge=0.0, le=10.0, description="0 is greedy.")
    top_p: float | None = Field(default=None, gt=0.0, le=1.0)
    top_k: int | None = Field(default=None, ge=1, le=1_000_000)
    min_p: float | None = Field(default=None, ge=0.0, le=1.0)
    repetition_penalty: float | None = Field(default=None, gt=0.0, le=10.0)
    seed: int | None = Field(
        default=None, ge=0, lt=2**63, description="The same seed gives the same text."
    )
    stop: Stop | Annotated[list[Stop], Field(max_length=MAX_STOPS)] | None = Field(
        default=None, description="Text that ends the answer; it is not part of it."
    )
    response_format: Annotated[ResponseFormat, Field(discriminator="type")] | None = Field(
        default=None, description="What the answer must be, however it is sampled."
    )
    ignore_eos: bool = Field(
        default=False,
        description="Go on to max_tokens whatever the model says: for measuring, not for reading.",
    )
    logprobs: bool = Field(default=False, description="Return the log-probability of each token.")
    top_logprobs: int | None = Field(
        default=None, ge=1, le=20, description="Also the k most likely tokens; needs logprobs."
    )
    stream: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> ChatRequest:
        if self.top_logprobs is not None and not self.logprobs:
            raise PydanticCustomError(
                "invalid_request", "top_logprobs needs logprobs=true", {"param": "top_logprobs"}
            )
        if self.response_format is not None and self.ignore_eos:
            raise PydanticCustomError(
                "invalid_request",
                "ignore_eos goes on where response_format has its end",
                {"param": "ignore_eos"},
            )
        if self.messages[-1].role != "user":
            raise PydanticCustomError(
                "invalid_request", "the last message must be the user's", {"param": "messages"}
            )
        return self


class TokenChoice(WireModel):
    """A token that could have come here, and its natural log-probability."""

    token: str
    logprob: float


class TokenLogprob(TokenChoice):
    """A token of the answer. Its text may be a part of a character, then with U+FFFD in it."""

    top: list[TokenChoice] = []


class ReplyMessage(WireModel):
    role: Literal["assistant"] = "assistant"
    content: str


class ChatResult(Result):
    """The answer. `finish_reason` is `length` where max_tokens or the context ended it."""

    message: ReplyMessage
    finish_reason: FinishReason
    logprobs: list[TokenLogprob] | None = None

    @property
    def text(self) -> str:
        return self.message.content


SPEC = TaskSpec("chat", ChatRequest, ChatResult, streams=True)
