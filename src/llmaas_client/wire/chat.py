"""Chat: the next message of a conversation."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from .base import Characters, Request, Result, Text, WireModel, invalid
from .documents import MAX_DOCUMENTS
from .documents import Citation as Citation
from .documents import Document as Document
from .documents import Passage as Passage
from .documents import Unsupported as Unsupported
from .messages import Message as Message
from .messages import ReplyMessage as ReplyMessage
from .messages import Role as Role
from .messages import check_conversation
from .sampling import MAX_ANSWERS as MAX_ANSWERS
from .sampling import MAX_STOPS as MAX_STOPS
from .sampling import Sampled
from .sampling import Stop as Stop
from .spec import TaskSpec
from .tools import MAX_TOOLS, CutCall, Tool, ToolChoice, ToolName

MAX_MESSAGES = 4096
MAX_CHOICES = 1024

FinishReason = Literal["stop", "length", "tool_calls"]


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


class ChatRequest(Sampled):
    """A conversation so far, and how to sample what comes next.

    Sampling fields that are absent take the model's own generation defaults.
    """

    messages: Annotated[list[Message], Field(min_length=1, max_length=MAX_MESSAGES)]
    response_format: Annotated[ResponseFormat, Field(discriminator="type")] | None = Field(
        default=None, description="What the answer must be, however it is sampled."
    )
    documents: (
        Annotated[list[Text | Document], Field(min_length=1, max_length=MAX_DOCUMENTS)] | None
    ) = Field(
        default=None,
        description="What the answer is to rest on: the passages nearest to the last question are "
        "given to the model, and the answer's sentences cite them.",
    )
    tools: Annotated[list[Tool], Field(max_length=MAX_TOOLS)] | None = Field(
        default=None, description="Functions that the model may call."
    )
    tool_choice: ToolChoice | None = Field(
        default=None,
        description="`auto` (also where absent): the model decides; `none`: no call; `required`: "
        "at least one; or the name of the tool to call.",
    )
    parallel_tool_calls: bool = Field(
        default=True, description="Whether one answer may hold several calls."
    )
    reasoning: Literal["include", "hide", "off"] = Field(
        default="include",
        description="Of models that mark it: `hide` leaves it out of the result, `off` asks the "
        "model not to begin it.",
    )
    ignore_eos: bool = Field(
        default=False,
        description="Go on to max_tokens whatever the model says: for measuring, not for reading.",
    )

    @model_validator(mode="after")
    def _consistent(self) -> ChatRequest:
        if self.response_format is not None and self.ignore_eos:
            raise invalid("ignore_eos goes on where response_format has its end", "ignore_eos")
        check_conversation(self.messages)
        self._check_tools()
        if self.documents is not None:
            self._check_documents()
        return self

    def _check_documents(self) -> None:
        if self.n > 1:
            raise invalid("documents go with one answer", "n")
        if all(message.role != "user" for message in self.messages):
            raise invalid("documents need a question: a message of the user", "documents")

    def _check_tools(self) -> None:
        names = [tool.name for tool in self.tools or ()]
        for number, name in enumerate(names):
            if name in names[:number]:
                raise invalid(f"there are two tools of the name {name!r}", f"tools.{number}.name")
        if self.tool_choice is not None and self.tool_choice != "none" and not names:
            raise invalid("tool_choice needs tools", "tool_choice")
        if isinstance(self.tool_choice, ToolName) and self.tool_choice.name not in names:
            raise invalid(f"there is no tool {self.tool_choice.name!r}", "tool_choice.name")
        if names and self.ignore_eos:
            raise invalid("ignore_eos goes on where a call has its end", "ignore_eos")


class TokenChoice(WireModel):
    """A token that could have come here, and its natural log-probability."""

    token: str
    logprob: float


class TokenLogprob(TokenChoice):
    """A token of the answer. Its text may be a part of a character, then with U+FFFD in it."""

    top: list[TokenChoice] = []
    part: Literal["content", "reasoning", "tool_call"] = "content"
    """What the token belongs to; marks between the parts are of the part that they begin or end."""


class Choice(WireModel):
    """One answer. `finish_reason` is `length` where max_tokens or the context ended it."""

    message: ReplyMessage
    finish_reason: FinishReason
    logprobs: list[TokenLogprob] | None = None
    cut_call: CutCall | None = None

    @property
    def text(self) -> str:
        return self.message.content


class ChatResult(Result):
    """The answer; where several were asked for, the first of `choices`."""

    message: ReplyMessage
    finish_reason: FinishReason
    logprobs: list[TokenLogprob] | None = None
    cut_call: CutCall | None = Field(
        default=None, description="The call that the answer ended in, where it was cut."
    )
    choices: list[Choice] = Field(
        default=[], description="All answers, where `n` asked for more than one; else empty."
    )
    passages: list[Passage] | None = Field(
        default=None,
        description="Of `documents`: all that the model was given, the nearest first. Empty where "
        "nothing in them is about the question; the model was then told so.",
    )
    citations: list[Citation] | None = Field(
        default=None,
        description="Of `documents`: what each sentence of the answer rests on. Null where the "
        "answer has a `response_format`.",
    )
    unsupported: list[Unsupported] | None = Field(
        default=None, description="Of `documents`: the sentences that nothing in them supports."
    )

    @property
    def text(self) -> str:
        return self.message.content

    @property
    def answers(self) -> list[Choice]:
        """All answers, however many were asked for."""
        if self.choices:
            return self.choices
        return [
            Choice(
                message=self.message,
                finish_reason=self.finish_reason,
                logprobs=self.logprobs,
                cut_call=self.cut_call,
            )
        ]


SPEC = TaskSpec("chat", ChatRequest, ChatResult, streams=True)
