"""Chat."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Literal, TypeAlias

from pydantic import BaseModel

from llmaas_client.errors import InvalidRequest
from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.chat import (
    SPEC,
    ChatRequest,
    ChatResult,
    Message,
    ReplyMessage,
    ResponseFormat,
)
from llmaas_client.wire.tools import Tool, ToolChoice

from .fields import Live, Out, given

Messages: TypeAlias = str | Sequence[Message | ReplyMessage | Mapping[str, Any]]
"""A user's message, or a conversation so far."""

Format: TypeAlias = ResponseFormat | Mapping[str, Any]
"""What an answer must be."""


class Chat(Generic[Out, Live]):
    """The next message of a conversation.

    client.chat("Hello").text
    """

    def __init__(
        self,
        run: Callable[[Call[ChatResult]], Out],
        stream: Callable[[Call[ChatResult]], Live],
    ) -> None:
        self._run = run
        self._stream = stream

    def __call__(
        self,
        messages: Messages,
        *,
        system: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        min_p: float | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] | None = None,
        response_format: Format | None = None,
        tools: Sequence[Tool | Mapping[str, Any]] | None = None,
        tool_choice: ToolChoice | Mapping[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        n: int | None = None,
        reasoning: Literal["include", "hide", "off"] | None = None,
        repetition_penalty: float | None = None,
        logprobs: bool = False,
        top_logprobs: int | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Out:
        """Answer a message, or go on with a conversation.

        Sampling arguments that are left out take the model's own defaults.

        Args:
            messages: The user's message, or messages `{"role": …, "content": …}`, the last one
                the user's. A result's `.message` can be put among them as it is.
            system: What the model is to be; the first message of the conversation.
            max_tokens: Most tokens of the answer.
            temperature: 0 always takes the likeliest token.
            top_p: Sample from the likeliest tokens that have this probability together.
            top_k: Sample from the k likeliest tokens.
            min_p: Leave out tokens less likely than this share of the likeliest.
            seed: The same seed gives the same answer.
            stop: Text, or texts, that end the answer; not part of it.
            response_format: What the answer must be: `{"type": "json_schema", "schema": …}`,
                `{"type": "regex", "pattern": …}`, `{"type": "choice", "choices": […]}` or
                `{"type": "json"}`, or the class of that name in `llmaas_client.wire.chat`.
            tools: What the model may call: `{"name": …, "description": …, "parameters": …}`, the
                parameters as JSON schema. Calls are in the result's `.message.tool_calls`.
            tool_choice: "auto", "none", "required", or `{"name": …}` of the tool to call.
            parallel_tool_calls: False allows one call at most in an answer.
            n: How many answers to make; all of them are in the result's `.answers`.
            reasoning: Of models that mark it: "hide" leaves it out, "off" asks for none.
            repetition_penalty: Above 1, tokens that were there already become less likely.
            logprobs: Return the log-probability of each token.
            top_logprobs: Also that of so many likeliest tokens; needs `logprobs`.
            model: A model's name; without it the server's default for this task.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        return self._run(
            _call(
                messages,
                system=system,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                min_p=min_p,
                seed=seed,
                stop=stop,
                response_format=_plain(response_format),
                tools=None if tools is None else [_plain(tool) for tool in tools],
                tool_choice=_plain(tool_choice),
                parallel_tool_calls=parallel_tool_calls,
                n=n,
                reasoning=reasoning,
                repetition_penalty=repetition_penalty,
                logprobs=logprobs or None,
                top_logprobs=top_logprobs,
                model=model,
                timeout=timeout,
            )
        )

    def stream(
        self,
        messages: Messages,
        *,
        system: str | None = None,
        max_tokens: int | None = None,
        temperature: float | None = None,
        top_p: float | None = None,
        top_k: int | None = None,
        min_p: float | None = None,
        seed: int | None = None,
        stop: str | Sequence[str] | None = None,
        response_format: Format | None = None,
        tools: Sequence[Tool | Mapping[str, Any]] | None = None,
        tool_choice: ToolChoice | Mapping[str, Any] | None = None,
        parallel_tool_calls: bool | None = None,
        n: int | None = None,
        reasoning: Literal["include", "hide", "off"] | None = None,
        repetition_penalty: float | None = None,
        logprobs: bool = False,
        top_logprobs: int | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Live:
        """The same as a stream of text.

        Takes what the call takes; `timeout` is for the whole stream.
        """
        return self._stream(
            _call(
                messages,
                system=system,
                max_tokens=max_tokens,
                temperature=temperature,
                top_p=top_p,
                top_k=top_k,
                min_p=min_p,
                seed=seed,
                stop=stop,
                response_format=_plain(response_format),
                tools=None if tools is None else [_plain(tool) for tool in tools],
                tool_choice=_plain(tool_choice),
                parallel_tool_calls=parallel_tool_calls,
                n=n,
                reasoning=reasoning,
                repetition_penalty=repetition_penalty,
                logprobs=logprobs or None,
                top_logprobs=top_logprobs,
                model=model,
                timeout=timeout,
            )
        )


def _call(
    messages: Messages, *, system: str | None, timeout: Timeout, **sampling: Any
) -> Call[ChatResult]:
    def request() -> ChatRequest:
        fields = {"messages": _conversation(messages, system), **sampling}
        return ChatRequest.model_validate(given(fields))

    return Call(
        path=SPEC.path, request=request, read=ChatResult.model_validate_json, timeout=timeout
    )


def _plain(value: Any) -> Any:
    """A value of the wire, or what stands for one, as plain data."""
    if isinstance(value, BaseModel):
        return value.model_dump()
    return dict(value) if isinstance(value, Mapping) else value


def _conversation(messages: Messages, system: str | None) -> list[dict[str, Any]]:
    if isinstance(messages, str):
        turns: list[dict[str, Any]] = [{"role": "user", "content": messages}]
    else:
        turns = [
            dict(message) if isinstance(message, Mapping) else message.model_dump(exclude_none=True)
            for message in messages
        ]
    if system is None:
        return turns
    if turns and turns[0].get("role") == "system":
        raise InvalidRequest(
            "system= was given, and messages begin with a system message", param="system"
        )
    return [{"role": "system", "content": system}, *turns]
