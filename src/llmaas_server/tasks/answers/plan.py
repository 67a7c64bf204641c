"""From a request and a model's template to the prompt, and to what the answer may be. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.messages import Message
from llmaas_client.wire.tools import Tool, ToolName
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Tokenizer
from llmaas_server.runtime.request import Grammar
from llmaas_server.tasks.tools import rendering
from llmaas_server.tasks.tools.formats import FALLBACK, CallFormat, format_of

from . import reasoning
from .grammar import MOST_CALLS, Calls, answer_grammar, arguments_grammar
from .marks import marks_of
from .reasoning import Thinking
from .shape import Shape

_HINT = "docs/tasks/chat.md says which JSON schemas work."


@dataclass(frozen=True, slots=True)
class Plan:
    """The prompt of a conversation, and the answer to it."""

    ids: tuple[int, ...]
    shape: Shape
    grammar: Grammar | None


def plan(request: ChatRequest, messages: Sequence[Message], model: Model) -> Plan:
    """`messages` are the request's, or what stands for them.

    Raises Problem `model_cannot_do_task`, `invalid_request`, `unsupported_parameter`.
    """
    template = model.tokenizer.chat_template
    calls = _calls(request)
    form = format_of(template)
    ids = encoder(request, model)(messages)
    thinking, never = _thinking(request, model.tokenizer, ids)
    marks = (*(thinking.marks if thinking else ()), *(form.marks if calls else ()))
    shape = Shape(
        thinking=thinking,
        begun=thinking is not None and reasoning.begun(thinking, ids, model.tokenizer),
        calls=None if calls is None else form,
        names=frozenset(tool.name for tool in calls.tools) if calls else frozenset(),
        marks=marks_of(model.tokenizer, marks),
    )
    text = answer_grammar(shape, request.response_format, calls, never=never)
    grammar = None if text is None else _compiled(text, request, calls, model)
    return Plan(tuple(ids), shape, grammar)


def encoder(request: ChatRequest, model: Model) -> Callable[[Sequence[Message]], list[int]]:
    """What makes the prompt of other messages, for the answer that is planned for the request."""
    tokenizer = model.tokenizer
    tools = () if _calls(request) is None else request.tools or ()
    form = format_of(tokenizer.chat_template)
    thinking = request.reasoning != "off"

    def prompt_of(messages: Sequence[Message]) -> list[int]:
        return encode(tokenizer, messages, tools, form=form, thinking=thinking)

    return prompt_of


def encode(
    tokenizer: Tokenizer,
    messages: Sequence[Message],
    tools: Sequence[Tool] = (),
    *,
    form: CallFormat = FALLBACK,
    thinking: bool = True,
) -> list[int]:
    """The prompt, with tools as the model's template has them, or else in words."""
    shown = reasoning.wants_reasoning(tokenizer.chat_template)
    if form is not FALLBACK:
        return tokenizer.encode_chat(
            rendering.native_messages(messages, reasoning=shown),
            tools=rendering.native_tools(tools),
            thinking=thinking,
        )
    turns = rendering.plain_messages(messages, reasoning=shown)
    if not tools:
        return tokenizer.encode_chat(turns, thinking=thinking)
    first, *others = rendering.with_tools(turns, tools)
    try:
        return tokenizer.encode_chat(first, thinking=thinking)
    except Problem:
        if not others:
            raise
        return tokenizer.encode_chat(others[0], thinking=thinking)


def _calls(request: ChatRequest) -> Calls | None:
    """None where the answer calls no tools."""
    if not request.tools or request.tool_choice == "none":
        return None
    if isinstance(request.tool_choice, ToolName):
        name = request.tool_choice.name
        chosen = [tool for tool in request.tools if tool.name == name]
        return Calls(chosen, required=True, most=1)
    most = MOST_CALLS if request.parallel_tool_calls else 1
    return Calls(request.tools, required=request.tool_choice == "required", most=most)


def _thinking(
    request: ChatRequest, tokenizer: Tokenizer, ids: Sequence[int]
) -> tuple[Thinking | None, str]:
    """The marks around what the model thinks, or the mark that it must not begin with."""
    template = tokenizer.chat_template
    thinking = reasoning.thinking_of(template)
    if thinking is None or request.reasoning != "off":
        return thinking, ""
    if reasoning.begun(thinking, ids, tokenizer):
        raise Problem(
            "unsupported_parameter",
            "this model always thinks before it answers",
            hint='Send reasoning="hide", or choose another model.',
            param="reasoning",
        )
    return None, thinking.opens


def _compiled(text: str, request: ChatRequest, calls: Calls | None, model: Model) -> Grammar:
    try:
        return model.grammar(text)
    except Problem as problem:
        if calls is None:
            raise
        if problem.code == "invalid_request":
            _check_parameters(request, model)
        raise about_tools(problem) from problem


def about_tools(problem: Problem) -> Problem:
    """A grammar's problem as one of the tools."""
    reason = _reason(problem)
    return Problem(
        problem.code,
        f"calls cannot be held to the parameters of the tools: {reason}",
        hint=_HINT,
        param="tools",
    )


def _check_parameters(request: ChatRequest, model: Model) -> None:
    """Raise Problem `invalid_request` for the first tool that is to blame."""
    for number, tool in enumerate(request.tools or ()):
        try:
            model.grammar(arguments_grammar(tool))
        except Problem as problem:
            raise Problem(
                problem.code,
                f"calls cannot be held to the parameters of {tool.name!r}: {_reason(problem)}",
                hint=_HINT,
                param=f"tools.{number}.parameters",
            ) from problem


def _reason(problem: Problem) -> str:
    """Without the words of a problem with `response_format`."""
    return problem.message.partition(": ")[2] or problem.message
