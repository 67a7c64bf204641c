"""The tools of one conversation, and how a call of the model is carried out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from llmaas_client.drive import is_async
from llmaas_client.errors import ConfigurationError
from llmaas_client.steps import Apply, Flow, Returned
from llmaas_client.structured.wanted import problems_of
from llmaas_client.wire.tools import ToolCall

from .function import Tools, encoded, functional
from .steps import Approve, OnToolError, ToolRun

NOT_ALLOWED = "The user did not allow this call."


class Belt:
    """Raises ConfigurationError for two tools of one name, and where tools cannot be called."""

    def __init__(
        self, tools: Tools, approve: Approve | None, on_tool_error: OnToolError, *, awaits: bool
    ) -> None:
        if on_tool_error not in ("tell", "raise"):
            raise ConfigurationError(
                f"on_tool_error is {on_tool_error!r}", hint="It is `tell` or `raise`."
            )
        functions = [functional(tool) for tool in tools]
        self._tools = {tool.name: tool for tool in functions}
        if len(self._tools) < len(functions):
            names = sorted(tool.name for tool in functions)
            raise ConfigurationError(
                f"two tools have one name: {', '.join(names)}",
                hint="FunctionTool(function, name=…) gives one of them another.",
            )
        coroutines = [tool.name for tool in functions if tool.is_async]
        coroutines += ["approve"] if approve is not None and is_async(approve) else []
        if coroutines and not awaits:
            raise ConfigurationError(
                f"{coroutines[0]} has to be awaited", hint="AsyncClient awaits coroutine functions."
            )
        self._approve = approve
        self._raises = on_tool_error == "raise"

    def specs(self) -> list[dict[str, Any]]:
        """As the wire has them."""
        return [tool.spec() for tool in self._tools.values()]

    def carry_out(self, call: ToolCall) -> Flow[ToolRun]:
        """Check, ask for approval, call. Raises what the function raises where that is wanted."""
        tool = self._tools.get(call.name)
        if tool is None:
            names = ", ".join(self._tools)
            return ToolRun(call, "unknown", f"There is no tool {call.name}; there are: {names}.")
        try:
            arguments = tool.bind(call.arguments)
        except ValidationError as error:
            return ToolRun(call, "invalid", _wrong(error))
        if self._approve is not None:
            decision = (yield from _given(Apply(self._approve, {}, (call,)))).value
            if isinstance(decision, Mapping):
                try:
                    arguments = tool.bind(decision)  # pyright: ignore[reportUnknownArgumentType]
                except ValidationError as error:
                    raise ConfigurationError(
                        f"approve gave arguments that {tool.name}() cannot take: "
                        f"{'; '.join(problems_of(error))}"
                    ) from None
            elif decision is False:
                return ToolRun(call, "refused", NOT_ALLOWED)
            elif decision is not True:
                raise ConfigurationError(
                    f"approve gave {decision!r}",
                    hint="True goes on, False does not, a mapping goes on with these arguments.",
                )
        try:
            value = (yield from _given(Apply(tool.function, arguments))).value
            told = encoded(value)
        except Exception as error:
            if self._raises:
                error.add_note(f"in the tool {tool.name}, which the model called")
                raise
            told = f"The tool failed: {type(error).__name__}: {error}"
            return ToolRun(call, "failed", encoded(told), arguments, error=error)
        return ToolRun(call, "returned", told, arguments, value)


def _given(step: Apply) -> Flow[Returned]:
    reply = yield step
    if not isinstance(reply, Returned):
        raise TypeError(f"a driver answered a call with {reply!r}")
    return reply


def _wrong(error: ValidationError) -> str:
    return f"The arguments are wrong: {'; '.join(problems_of(error))}"
