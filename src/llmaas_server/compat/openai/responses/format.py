"""The request, and how it is answered."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from llmaas_client.wire.base import Characters, Request, TaskRequest
from llmaas_client.wire.chat import MAX_MESSAGES, ChatRequest
from llmaas_client.wire.errors import ErrorBody
from llmaas_client.wire.sse import encode
from llmaas_client.wire.tools import ToolChoice, ToolName
from llmaas_server.api.endpoint import EventShape
from llmaas_server.api.translated import Told
from llmaas_server.compat.openai.fields import refused
from llmaas_server.compat.openai.messages import Function, ObjectFormat, TextFormat, tool_of
from llmaas_server.compat.openai.refusals import OpenAIFormat
from llmaas_server.compat.openai.sampling import SampledBody
from llmaas_server.seam.values import Result

from .events import EVENTS, ResponseFailure
from .items import GivenItem, Item, messages_of
from .script import ResponseScript
from .shapes import IncompleteDetails, ModelResponse
from .writing import Names, output_of, status_of, usage_of

WITH_LOGPROBS = "message.output_text.logprobs"


class FlatTool(Function, Item):
    """A function; other tools would have to be carried out here."""

    type: Literal["function"]

    @model_validator(mode="before")
    @classmethod
    def _is_function(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("type") != "function":
            raise refused("type", f"there is no tool {given.get('type')!r}: functions are called")
        return given


class FlatChoice(Request):
    type: Literal["function"]
    name: str


class FlatSchemaFormat(Item):
    type: Literal["json_schema"]
    name: str
    given_schema: dict[str, Any] = Field(alias="schema")
    description: Characters | None = None
    strict: bool | None = None


class TextOptions(Item):
    format: Annotated[TextFormat | ObjectFormat | FlatSchemaFormat, Field(discriminator="type")] = (
        Field(default_factory=lambda: TextFormat(type="text"), description="Text without it.")
    )
    verbosity: Literal["medium"] = "medium"


class ReasoningOptions(Item):
    """`none` asks a model that marks its reasoning to begin none."""

    effort: Literal["none"] | None = None


class ResponsesBody(SampledBody):
    """The body of `POST /v1/responses`."""

    input: Characters | Annotated[list[GivenItem], Field(min_length=1, max_length=MAX_MESSAGES)]
    instructions: Characters | None = None
    max_output_tokens: int | None = None
    tools: list[FlatTool] | None = None
    tool_choice: Literal["auto", "none", "required"] | FlatChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextOptions = TextOptions()
    reasoning: ReasoningOptions = ReasoningOptions()
    include: list[Literal["message.output_text.logprobs"]] = []
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    seed: int | None = Field(default=None, description="An addition of ours.")


@dataclass(frozen=True, slots=True)
class Responses(OpenAIFormat):
    """Chat, as the newer clients of OpenAI call it."""

    path: ClassVar[str] = "/v1/responses"
    summary: ClassVar[str] = "Chat without a memory, as the OpenAI SDK calls it"
    body: ClassVar[type[ResponsesBody]] = ResponsesBody
    answer: ClassVar[type[ModelResponse]] = ModelResponse
    events: ClassVar[tuple[EventShape, ...]] = EVENTS
    task: ClassVar[str] = "chat"
    job: ClassVar[str] = "chat"

    def read(self, body: ResponsesBody) -> TaskRequest:
        with_logprobs = WITH_LOGPROBS in body.include or bool(body.top_logprobs)
        fields = {
            "messages": messages_of(body.instructions, body.input),
            "max_tokens": body.max_output_tokens,
            "logprobs": with_logprobs,
            "top_logprobs": body.top_logprobs or None,
            "response_format": _format(body.text),
            "tools": [tool_of(one) for one in body.tools or ()] or None,
            "tool_choice": _choice(body) if body.tools else None,
            "parallel_tool_calls": body.parallel_tool_calls,
            "reasoning": "off" if body.reasoning.effort == "none" else None,
        }
        return body.asking(ChatRequest, fields)

    def write(self, body: ResponsesBody, told: Told, result: Result) -> ModelResponse:
        names = Names(told)
        status = status_of(result)
        return _begun(body, told, names).model_copy(
            update={
                "status": status,
                "output": output_of(names, result),
                "usage": usage_of(result),
                "completed_at": int(time.time()) if status == "completed" else None,
                "incomplete_details": IncompleteDetails() if status == "incomplete" else None,
            }
        )

    def script(self, body: ResponsesBody, told: Told) -> ResponseScript:
        names = Names(told)
        return ResponseScript(_begun(body, told, names), names)

    def error(self, body: ErrorBody) -> bytes:
        error = body.error
        told = ResponseFailure(
            code=error.code, message=error.message, param=error.param, error=error
        )
        return encode("error", told.model_dump_json())


def _begun(body: ResponsesBody, told: Told, names: Names) -> ModelResponse:
    choice = body.tool_choice
    return ModelResponse(
        id=names.response,
        created_at=told.created,
        status="in_progress",
        instructions=body.instructions,
        model=told.model,
        output=[],
        parallel_tool_calls=body.parallel_tool_calls is not False,
        temperature=body.temperature,
        top_p=body.top_p,
        tool_choice=choice.model_dump() if isinstance(choice, FlatChoice) else choice or "auto",
        tools=[tool.model_dump() for tool in body.tools or ()],
        max_output_tokens=body.max_output_tokens,
        top_logprobs=body.top_logprobs,
        text=body.text.model_dump(by_alias=True, exclude_none=True),
        reasoning={"effort": body.reasoning.effort, "summary": None},
        usage=None,
    )


def _choice(body: ResponsesBody) -> ToolChoice | None:
    choice = body.tool_choice
    return ToolName(name=choice.name) if isinstance(choice, FlatChoice) else choice


def _format(text: TextOptions) -> dict[str, Any] | None:
    """Our `response_format`."""
    match text.format:
        case ObjectFormat():
            return {"type": "json"}
        case FlatSchemaFormat():
            return {"type": "json_schema", "schema": text.format.given_schema}
    return None
