"""How a server is asked, and what its answers tell. Values only: nothing here sends anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ValidationError

from llmaas_client.errors import ConfigurationError
from llmaas_client.wire import TASKS
from llmaas_client.wire.base import Usage
from llmaas_client.wire.events import Delta

from .prompts import Prompt

Api = Literal["openai", "llmaas"]
Task = Literal["chat", "classify", "embed"]


@dataclass(frozen=True, slots=True)
class News:
    """What an event of a stream, or a whole answer, tells."""

    has_text: bool = False
    """Whether it brings a piece of the answer."""
    usage: Usage | None = None
    error: str | None = None
    """A code, where the answer ends badly."""
    finished: bool = False
    """Whether the answer's text is whole; usage may follow. Some servers then just hang up."""
    done: bool = False
    """Whether nothing follows."""


NOTHING = News()


@dataclass(frozen=True, slots=True)
class Shape:
    """What all requests of a run have in common."""

    model: str | None
    output_tokens: int
    ignore_eos: bool
    extra: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Fields added to every body, for what only one kind of server knows."""

    def complete(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        model = {} if self.model is None else {"model": self.model}
        return {**model, **fields, **self.extra}


class Dialect(Protocol):
    """One way to ask. An answer is a stream of events where `streams`, else one JSON body."""

    @property
    def path(self) -> str: ...
    @property
    def streams(self) -> bool: ...
    def body(self, prompts: list[Prompt], shape: Shape) -> dict[str, Any]:
        """The request; chats have one prompt, tasks over texts as many as a batch has."""
        ...

    def read(self, event: str, data: str) -> News:
        """`event` is empty for a whole body. Raises ValueError for what is not of this dialect."""
        ...


class OpenAIChat:
    path = "/v1/chat/completions"
    streams = True

    def body(self, prompts: list[Prompt], shape: Shape) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "messages": prompts[0],
            "max_tokens": shape.output_tokens,
            "temperature": 0,
            "stream": True,
            "stream_options": {"include_usage": True},
        }
        return shape.complete(fields | ({"ignore_eos": True} if shape.ignore_eos else {}))

    def read(self, event: str, data: str) -> News:
        if data.strip() == "[DONE]":
            return News(done=True)
        chunk = _Chunk.model_validate_json(data)
        if chunk.error is not None:
            return News(error=_code(data), done=True)
        has_text = any(choice.delta and choice.delta.says for choice in chunk.choices)
        finished = any(choice.finish_reason for choice in chunk.choices)
        return News(has_text, chunk.counted, finished=finished)


class _Delta(BaseModel):
    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None
    tool_calls: Any = None

    @property
    def says(self) -> bool:
        """Whether it has a part of the answer, and not only the role or nothing at all."""
        return any((self.content, self.reasoning_content, self.reasoning, self.tool_calls))


class _Choice(BaseModel):
    delta: _Delta | None = None
    finish_reason: Any = None


class _Details(BaseModel):
    cached_tokens: int | None = None


class _OpenAIUsage(BaseModel):
    prompt_tokens: int = 0
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


class _Chunk(BaseModel):
    choices: list[_Choice] = []
    usage: _OpenAIUsage | None = None
    error: Any = None

    @property
    def counted(self) -> Usage | None:
        if self.usage is None:
            return None
        details = self.usage.prompt_tokens_details
        return Usage(
            prompt_tokens=self.usage.prompt_tokens,
            cached_tokens=(details.cached_tokens or 0) if details else 0,
            completion_tokens=self.usage.completion_tokens or 0,
        )


class OpenAIEmbeddings:
    path = "/v1/embeddings"
    streams = False

    def body(self, prompts: list[Prompt], shape: Shape) -> dict[str, Any]:
        return shape.complete({"input": [prompt[-1]["content"] for prompt in prompts]})

    def read(self, event: str, data: str) -> News:
        return News(usage=_Chunk.model_validate_json(data).counted, done=True)


class _Counted(BaseModel):
    """All that is wanted of a result."""

    usage: Usage


class LlmaasChat:
    path = TASKS["chat"].path
    streams = True

    def body(self, prompts: list[Prompt], shape: Shape) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "messages": prompts[0],
            "max_tokens": shape.output_tokens,
            "temperature": 0.0,
            "stream": True,
        }
        return shape.complete(fields | ({"ignore_eos": True} if shape.ignore_eos else {}))

    def read(self, event: str, data: str) -> News:
        match event:
            case "delta":
                return News(has_text=bool(Delta.model_validate_json(data).text))
            case "done":
                return News(usage=_Counted.model_validate_json(data).usage, done=True)
            case "error":
                return News(error=_code(data), done=True)
            case _:
                return NOTHING


class LlmaasTexts:
    """A task that reads texts and streams nothing."""

    streams = False

    def __init__(self, task: Literal["classify", "embed"]) -> None:
        self.task = task

    @property
    def path(self) -> str:
        return TASKS[self.task].path

    def body(self, prompts: list[Prompt], shape: Shape) -> dict[str, Any]:
        fields: dict[str, Any] = {"text": [prompt[-1]["content"] for prompt in prompts]}
        if self.task == "classify":
            fields["labels"] = ["negative", "positive"]
        return shape.complete(fields)

    def read(self, event: str, data: str) -> News:
        return News(usage=_Counted.model_validate_json(data).usage, done=True)


def dialect_of(api: Api, task: Task) -> Dialect:
    """Raises ConfigurationError where servers of this kind have no such task."""
    match api, task:
        case "llmaas", "chat":
            return LlmaasChat()
        case "llmaas", ("classify" | "embed") as texts:
            return LlmaasTexts(texts)
        case "openai", "chat":
            return OpenAIChat()
        case "openai", "embed":
            return OpenAIEmbeddings()
        case _:
            raise ConfigurationError(
                f"a server of OpenAI's API has no task {task!r}",
                hint="Use --task chat or --task embed, or --api llmaas for a server of llmaas.",
            )


class _Error(BaseModel):
    code: Any = None
    message: str = ""


class _Refusal(BaseModel):
    error: _Error | str


def read_refusal(status: int, body: bytes) -> tuple[str, str]:
    """Code and message of an answer that is not a success, whoever wrote it."""
    try:
        error = _Refusal.model_validate_json(body).error
    except ValidationError:
        return f"http_{status}", body[:200].decode("utf-8", "replace").strip()
    if isinstance(error, str):
        return f"http_{status}", error
    # OpenAI's code may be null, llama.cpp's is the status.
    named = error.code if isinstance(error.code, str) else f"http_{status}"
    return named, error.message


def _code(data: str) -> str:
    """Of an error in the middle of a stream."""
    try:
        error = _Refusal.model_validate_json(data).error
    except ValidationError:
        return "error"
    return error.code if isinstance(error, _Error) and isinstance(error.code, str) else "error"
