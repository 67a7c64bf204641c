"""What each task refuses, with which code, and which field it names."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from llmaas_client.wire import TASKS
from llmaas_client.wire.validation import explain

BOSS = {"role": "boss", "content": "x"}
MANY = [str(i) for i in range(1001)]
HI = {"role": "user", "content": "Hi"}
LABELS = ["a", "b"]
LOOK = {"name": "look", "parameters": {"type": "object", "properties": {}}}
CALL = {"id": "1", "name": "look", "arguments": {"at": "x"}}
CALLED = {"role": "assistant", "content": None, "tool_calls": [CALL]}
TOLD = {"role": "tool", "tool_call_id": "1", "content": "sun"}

Case = tuple[str, dict[str, Any], str, str | None]
CASES: list[Case] = [
    ("chat", {}, "invalid_request", "messages"),
    ("chat", {"messages": []}, "invalid_request", "messages"),
    ("chat", {"messages": "Hi"}, "invalid_request", "messages"),
    ("chat", {"messages": [{"role": "user"}]}, "invalid_request", "messages.0.content"),
    (
        "chat",
        {"messages": [BOSS]},
        "invalid_request",
        "messages.0.role",
    ),
    ("chat", {"messages": [HI], "n": 0}, "invalid_request", "n"),
    ("chat", {"messages": [HI], "n": 17}, "invalid_request", "n"),
    ("chat", {"messages": [HI], "reasoning": "yes"}, "invalid_request", "reasoning"),
    ("chat", {"messages": [HI], "tool_choice": "required"}, "invalid_request", "tool_choice"),
    (
        "chat",
        {"messages": [HI], "tools": [], "tool_choice": "auto"},
        "invalid_request",
        "tool_choice",
    ),
    (
        "chat",
        {"messages": [HI], "tools": [LOOK], "tool_choice": {"name": "x"}},
        "invalid_request",
        "tool_choice.name",
    ),
    (
        "chat",
        {"messages": [HI], "tools": [LOOK], "tool_choice": "look"},
        "invalid_request",
        "tool_choice",
    ),
    ("chat", {"messages": [HI], "tools": [LOOK, LOOK]}, "invalid_request", "tools.1.name"),
    ("chat", {"messages": [HI], "tools": [LOOK] * 129}, "invalid_request", "tools"),
    ("chat", {"messages": [HI], "tools": [{"name": "a b"}]}, "invalid_request", "tools.0.name"),
    (
        "chat",
        {"messages": [HI], "tools": [{"name": "a", "strict": True}]},
        "unknown_field",
        "tools.0.strict",
    ),
    (
        "chat",
        {"messages": [HI], "tools": [LOOK | {"parameters": {"type": "array"}}]},
        "invalid_request",
        "tools.0.parameters",
    ),
    (
        "chat",
        {"messages": [HI], "tools": [LOOK | {"parameters": {"description": "x" * 70_000}}]},
        "invalid_request",
        "tools.0.parameters",
    ),
    (
        "chat",
        {"messages": [HI], "tools": [LOOK], "ignore_eos": True},
        "invalid_request",
        "ignore_eos",
    ),
    (
        "chat",
        {"messages": [HI, {"role": "assistant"}, HI]},
        "invalid_request",
        "messages.1.content",
    ),
    (
        "chat",
        {"messages": [HI | {"tool_calls": [CALL]}]},
        "invalid_request",
        "messages.0.tool_calls",
    ),
    ("chat", {"messages": [HI | {"reasoning": "x"}]}, "invalid_request", "messages.0.reasoning"),
    (
        "chat",
        {"messages": [HI, {"role": "tool", "content": "x"}]},
        "invalid_request",
        "messages.1.tool_call_id",
    ),
    (
        "chat",
        {"messages": [HI, {"role": "tool", "content": "x", "tool_call_id": "1"}]},
        "invalid_request",
        "messages.1.tool_call_id",
    ),
    (
        "chat",
        {"messages": [HI, CALLED, TOLD | {"tool_call_id": "2"}]},
        "invalid_request",
        "messages.2.tool_call_id",
    ),
    ("chat", {"messages": [HI, CALLED, TOLD, TOLD]}, "invalid_request", "messages.3.tool_call_id"),
    (
        "chat",
        {"messages": [HI, CALLED, TOLD | {"name": "other"}]},
        "invalid_request",
        "messages.2.name",
    ),
    ("chat", {"messages": [HI, CALLED, HI]}, "invalid_request", "messages.2"),
    ("chat", {"messages": [HI, CALLED]}, "invalid_request", "messages"),
    (
        "chat",
        {"messages": [HI, CALLED | {"tool_calls": [CALL, CALL]}, TOLD]},
        "invalid_request",
        "messages.1.tool_calls.1.id",
    ),
    ("chat", {"messages": [HI | {"nick": "x"}]}, "unknown_field", "messages.0.nick"),
    ("chat", {"messages": [HI | {"content": "  "}]}, "empty_text", "messages.0.content"),
    ("chat", {"messages": [HI | {"content": "a\0"}]}, "invalid_text", "messages.0.content"),
    ("chat", {"messages": [HI | {"content": "a\ud800"}]}, "invalid_text", "messages.0.content"),
    ("chat", {"messages": [HI], "wat": 1}, "unknown_field", "wat"),
    ("chat", {"messages": [HI], "max_tokens": 0}, "invalid_request", "max_tokens"),
    ("chat", {"messages": [HI], "max_tokens": "5"}, "invalid_request", "max_tokens"),
    ("chat", {"messages": [HI], "temperature": -1}, "invalid_request", "temperature"),
    ("chat", {"messages": [HI], "temperature": float("nan")}, "invalid_request", "temperature"),
    ("chat", {"messages": [HI], "stop": [""]}, "invalid_request", "stop.0"),
    ("chat", {"messages": [HI], "model": ""}, "invalid_request", "model"),
    (
        "chat",
        {"messages": [HI], "response_format": {"type": "json"}, "ignore_eos": True},
        "invalid_request",
        "ignore_eos",
    ),
    (
        "chat",
        {"messages": [HI], "response_format": {"type": "choice", "choices": []}},
        "invalid_request",
        "response_format.choice.choices",
    ),
    (
        "chat",
        {"messages": [HI], "response_format": {"type": "yaml"}},
        "invalid_request",
        "response_format",
    ),
    ("classify", {"labels": LABELS}, "invalid_request", "text"),
    ("classify", {"text": " ", "labels": LABELS}, "empty_text", "text"),
    ("classify", {"text": [], "labels": LABELS}, "invalid_request", "text"),
    ("classify", {"text": ["x", ""], "labels": LABELS}, "empty_text", "text.1"),
    ("classify", {"text": ["x"] * 1025, "labels": LABELS}, "invalid_request", "text"),
    ("classify", {"text": "x", "labels": []}, "too_few_labels", "labels"),
    ("classify", {"text": "x", "labels": ["a"]}, "too_few_labels", "labels"),
    ("classify", {"text": "x", "labels": ["a", "a "]}, "duplicate_labels", "labels"),
    (
        "classify",
        {"text": "x", "labels": [str(i) for i in range(1001)]},
        "too_many_labels",
        "labels",
    ),
    ("classify", {"text": "x", "labels": ["a", ""]}, "empty_text", "labels.1"),
    ("classify", {"text": "x", "labels": LABELS, "threshold": 2}, "invalid_request", "threshold"),
    ("classify", {"text": "x", "labels": LABELS, "stream": True}, "unknown_field", "stream"),
    (
        "classify",
        {"text": "x", "labels": LABELS, "hypothesis_template": "about"},
        "invalid_request",
        "hypothesis_template",
    ),
    ("summarize", {"text": ""}, "empty_text", "text"),
    ("summarize", {"text": "x", "length": "tiny"}, "invalid_request", "length"),
    ("summarize", {"text": "x", "max_words": 0}, "invalid_request", "max_words"),
    ("summarize", {"text": "x", "focus": " "}, "empty_text", "focus"),
    ("summarize", {"text": "x", "focus": "a" * 2001}, "invalid_request", "focus"),
    ("summarize", {"text": "x", "focus": ["a"]}, "invalid_request", "focus"),
    ("summarize", {"text": "x", "strict": "yes"}, "invalid_request", "strict"),
    ("embed", {"text": 7}, "invalid_request", "text"),
    ("embed", {"text": "x", "labels": LABELS}, "unknown_field", "labels"),
]


@pytest.mark.parametrize(("task", "body", "code", "param"), CASES)
def test_refuses_and_names_the_field(
    task: str, body: dict[str, Any], code: str, param: str | None
) -> None:
    with pytest.raises(ValidationError) as caught:
        TASKS[task].request.model_validate(body)
    error = explain(caught.value, request_id="req-7").error
    assert (error.code, error.param) == (code, param)
    assert error.message
    assert error.hint
    assert error.request_id == "req-7"


def test_bad_json_has_a_code_of_its_own() -> None:
    with pytest.raises(ValidationError) as caught:
        TASKS["chat"].request.model_validate_json("{")
    assert explain(caught.value).error.code == "invalid_json"


@pytest.mark.parametrize(
    ("task", "body"),
    [
        ("chat", {"messages": [HI], "temperature": 0, "stop": "x", "seed": 2**63 - 1}),
        ("chat", {"messages": [{"role": "system", "content": ""}, HI]}),
        (
            "chat",
            {
                "messages": [HI],
                "response_format": {"type": "json_schema", "schema": {"const": None}},
            },
        ),
        (
            "chat",
            {
                "messages": [HI, CALLED, TOLD | {"name": "look"}],
                "tools": [LOOK, {"name": "stop"}],
                "tool_choice": {"name": "stop"},
                "parallel_tool_calls": False,
                "n": 16,
                "reasoning": "off",
            },
        ),
        ("chat", {"messages": [HI, CALLED, TOLD, HI, CALLED, TOLD, HI]}),
        ("classify", {"text": ["x", "y"], "labels": {"a": "one", "b": "two"}}),
        ("classify", {"text": "x", "labels": ["a"], "multi": True}),
        ("classify", {"text": "x"}),
        ("classify", {"text": "x", "labels": MANY[:1000]}),
        ("summarize", {"text": ["one", "two"], "style": "bullets"}),
        ("embed", {"text": "👋 二"}),
    ],
)
def test_takes_what_is_right(task: str, body: dict[str, Any]) -> None:
    request = TASKS[task].request.model_validate(body)
    assert request.model_dump(exclude_unset=True) == body
