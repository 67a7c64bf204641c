"""The options of a chat, written down once for all doors that take them."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ForwardRef, Literal, TypeAlias, TypedDict, TypeVar

from llmaas_client.steps import Timeout
from llmaas_client.wire.chat import Document, ResponseFormat
from llmaas_client.wire.tools import ToolChoice

if TYPE_CHECKING:
    from llmaas_client.tools.function import ToolSpecs
    from llmaas_client.tools.steps import Approve, OnToolError

Format: TypeAlias = ResponseFormat | Mapping[str, Any]
"""What an answer must be."""
Documents: TypeAlias = Sequence[str | Document | Mapping[str, Any]]
"""What an answer is to rest on: texts, or `{"text": …, "title"?: …, "id"?: …}`."""


class AnswerOptions(TypedDict, total=False):
    """How an answer is made. What is left out, or None, takes the server's defaults."""

    max_tokens: int | None
    temperature: float | None
    top_p: float | None
    top_k: int | None
    min_p: float | None
    seed: int | None
    stop: str | Sequence[str] | None
    response_format: Format | None
    documents: Documents | None
    tools: ToolSpecs | None
    tool_choice: ToolChoice | Mapping[str, Any] | None
    parallel_tool_calls: bool | None
    n: int | None
    reasoning: Literal["include", "hide", "off"] | None
    repetition_penalty: float | None
    logprobs: bool | None
    top_logprobs: int | None
    model: str | None
    timeout: Timeout


class ChatOptions(AnswerOptions, total=False):
    """Those of a chat."""

    system: str | None


class LoopOptions(AnswerOptions, total=False):
    """Those of an answer for which tools are called."""

    max_steps: int
    approve: Approve | None
    on_tool_error: OnToolError


class RunOptions(LoopOptions, total=False):
    """Those of a chat for which tools are called."""

    system: str | None


F = TypeVar("F", bound=Callable[..., Any])


def taking(options: type[Any]) -> Callable[[F], F]:
    """Give a function the signature that it has for its callers: `**options` spelled out."""

    def spell(function: F) -> F:
        named = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=None,
                annotation=kind.__forward_arg__ if isinstance(kind, ForwardRef) else kind,
            )
            for name, kind in options.__annotations__.items()
        ]
        signature = inspect.signature(function)
        own = [one for one in signature.parameters.values() if one.kind is not one.VAR_KEYWORD]
        function.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*own, *named]
        )
        return function

    return spell


def check(options: Mapping[str, Any], known: type[Any], door: str) -> None:
    """Raises TypeError for an option that is not there, as Python does."""
    for name in options:
        if name not in known.__annotations__:
            raise TypeError(f"{door}() got an unexpected keyword argument {name!r}")
