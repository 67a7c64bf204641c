"""Which templates write calls in which way."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.tools.formats import (
    FALLBACK,
    HERMES,
    LLAMA3,
    MISTRAL,
    MISTRAL_NAMED,
    MISTRAL_SPACED,
    CallFormat,
    format_of,
)

TOOLS = "{%- if tools %}{{ tools | tojson }}{%- endif %}"


@pytest.mark.parametrize(
    ("template", "want"),
    [
        ("{{ messages }}", FALLBACK),
        ("{{ '<tool_call>' }} arguments", FALLBACK),
        (TOOLS, FALLBACK),
        (TOOLS + "<tool_call>\n{\"name\": <function-name>, \"arguments\": {}}</tool_call>", HERMES),
        (TOOLS + "<tool_call>\n<function=example>arguments</function></tool_call>", FALLBACK),
        (TOOLS + "<tool_call>name\n<arg_key>arguments</arg_key>", FALLBACK),
        (TOOLS + "{{- \"[TOOL_CALLS] [\" }}", MISTRAL_SPACED),
        (TOOLS + "{{- \"[TOOL_CALLS][\" }}", MISTRAL),
        (TOOLS + "[TOOL_CALLS]{{ name }}[ARGS]{{ arguments }}", MISTRAL_NAMED),
        (TOOLS + "[TOOL_CALLS]{{ name }}[CALL_ID]{{ id }}[ARGS]{{ arguments }}", FALLBACK),
        (TOOLS + "<|eot_id|>{{- '\"parameters\": ' }}", LLAMA3),
        (TOOLS + "<|eot_id|><TOOLCALL>[{{- '\"arguments\": ' }}]</TOOLCALL>", FALLBACK),
        ("{{ xml_tools }}<tool_call>arguments", FALLBACK),
    ],
)  # fmt: skip
def test_a_format_is_found_by_its_marks(template: str, want: CallFormat) -> None:
    assert format_of(template) is want


@pytest.mark.parametrize("form", [FALLBACK, HERMES, LLAMA3, MISTRAL, MISTRAL_NAMED, MISTRAL_SPACED])
def test_calls_begin_with_what_starts_them(form: CallFormat) -> None:
    assert form.opens.startswith(form.starts)
    assert bool(form.opens) == bool(form.starts)
