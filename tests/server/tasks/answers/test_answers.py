"""Answers of small random models: the grammar leads to calls, and nothing in their weights does."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from llmaas_client.wire.events import Delta
from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.seam.values import WorkerOptions
from support import tiny, tiny_tokenizers
from support.tasks import Outcome, read_request, run_task

LOOK: dict[str, Any] = {
    "type": "object",
    "properties": {
        "where": {"enum": ["here", 'the "far" side', "今天"]},
        "times": {"type": "integer", "minimum": 1, "maximum": 9},
    },
    "required": ["where"],
}
STOP: dict[str, Any] = {"type": "object", "properties": {}}
TOOLS = [
    {"name": "look", "description": "Look at something.", "parameters": LOOK},
    {"name": "stop", "parameters": STOP},
]
SCHEMAS = {"look": LOOK, "stop": STOP}
BODY = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "<|im_start|>assistant\n"
)
HERMES = "{{ tools | tojson }}<tool_call>{'name': …, 'arguments': …}</tool_call>" + BODY
MISTRAL = "{{ tools | tojson }}[TOOL_CALLS][" + BODY
NAMED = "{{ tools | tojson }}[TOOL_CALLS]…[ARGS]" + BODY
LLAMA3 = '{{ tools | tojson }}<|eot_id|>{"name": …, "parameters": …}' + BODY
THINKS = "{# <think></think> #}" + BODY
OPENS = BODY + "<think>\n"
TAGS = ("<tool_call>", "</tool_call>")
THINK = ("<think>", "</think>")

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "fallback": (tiny_tokenizers.CHATML, ()),
    "hermes": (HERMES, TAGS),
    "hermes-text": (HERMES, ()),
    "mistral": (MISTRAL, ("[TOOL_CALLS]",)),
    "named": (NAMED, ("[TOOL_CALLS]", "[ARGS]")),
    "llama3": (LLAMA3, ()),
    "hermes-thinks": ("{# <think></think> #}" + HERMES, (*TAGS, *THINK)),
}
SEEDS = range(3)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("talkers")


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    engine = await asyncio.to_thread(create, WorkerOptions(device="cpu", dtype="float32"))
    yield engine
    await asyncio.to_thread(engine.close)


async def talker(engine: Engine, folder: Path, name: str, template: str, marks: Any) -> Model:
    return await engine.load(tiny.talker(folder / name, template, marks))


async def chat(engine: Engine, model: Model, **request: Any) -> Outcome:
    asked = {
        "messages": [{"role": "user", "content": "Look there"}],
        "temperature": 1.5,
        "max_tokens": 300,
    }
    outcome = await run_task("chat", model, engine, **{**asked, **request})
    _check_stream(outcome)
    return outcome


def _check_stream(outcome: Outcome) -> None:
    """What was streamed joins to the result."""
    for number, answer in enumerate(outcome.wire.answers):
        deltas = [
            Delta.model_validate(_plain(delta))
            for delta in outcome.deltas
            if delta.choice == number
        ]
        assert "".join(delta.text for delta in deltas) == answer.text
        reasoning = "".join(delta.reasoning for delta in deltas)
        assert reasoning == (answer.message.reasoning or "")
        calls: list[list[str]] = []
        for delta in deltas:
            if piece := delta.tool_call:
                if piece.id is not None:
                    calls.append([piece.id, str(piece.name), ""])
                calls[piece.index][2] += piece.arguments
        whole = [[c.id, c.name, c.arguments] for c in answer.message.tool_calls]
        streamed = [[id, name, json.loads(text)] for id, name, text in calls[: len(whole)]]
        assert streamed == whole
        cut = [] if answer.cut_call is None else [list(answer.cut_call.model_dump().values())]
        assert calls[len(whole) :] == cut


def _plain(delta: Any) -> dict[str, Any]:
    call = delta.tool_call
    named = ("index", "id", "name", "arguments")
    return {
        "text": delta.text,
        "choice": delta.choice,
        "reasoning": delta.reasoning,
        "tool_call": None if call is None else {name: getattr(call, name) for name in named},
    }


@pytest.mark.parametrize("kind", KINDS)
async def test_calls_that_must_be_are_there_and_valid(
    engine: Engine, folder: Path, kind: str
) -> None:
    model = await talker(engine, folder, kind, *KINDS[kind])
    most = 0
    for seed in SEEDS:
        outcome = await chat(engine, model, tools=TOOLS, tool_choice="required", seed=seed)
        message = outcome.wire.message
        if outcome.wire.finish_reason == "length":
            continue
        assert outcome.wire.finish_reason == "tool_calls"
        assert message.content == ""
        most = max(most, len(message.tool_calls))
        assert len({call.id for call in message.tool_calls}) == len(message.tool_calls)
        for call in message.tool_calls:
            jsonschema_rs.validate(SCHEMAS[call.name], call.arguments)
            assert call.arguments.keys() <= SCHEMAS[call.name]["properties"].keys()
    assert most >= 1, "no answer came to its end"
    assert most == 1 or kind not in ("fallback", "llama3")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_tool_that_is_named_is_called_once(
    engine: Engine, folder: Path, kind: str
) -> None:
    model = await talker(engine, folder, kind, *KINDS[kind])
    for seed in SEEDS:
        outcome = await chat(engine, model, tools=TOOLS, tool_choice={"name": "stop"}, seed=seed)
        if outcome.wire.finish_reason == "tool_calls":
            (call,) = outcome.wire.message.tool_calls
            assert (call.name, call.arguments) == ("stop", {})


@pytest.mark.parametrize("kind", KINDS)
async def test_where_the_model_may_choose_calls_are_valid(
    engine: Engine, folder: Path, kind: str
) -> None:
    model = await talker(engine, folder, kind, *KINDS[kind])
    for seed in SEEDS:
        outcome = await chat(engine, model, tools=TOOLS, seed=seed, max_tokens=80)
        for call in outcome.wire.message.tool_calls:
            jsonschema_rs.validate(SCHEMAS[call.name], call.arguments)


async def test_one_call_where_several_are_not_allowed(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "hermes", *KINDS["hermes"])
    several = 0
    for seed in range(5):
        asked = {"tools": TOOLS, "tool_choice": "required", "seed": seed, "max_tokens": 200}
        outcome = await chat(engine, model, **asked, parallel_tool_calls=False)
        assert len(outcome.wire.message.tool_calls) <= 1
        outcome = await chat(engine, model, **asked)
        several += len(outcome.wire.message.tool_calls) > 1
    assert several


async def test_tools_that_may_not_be_called_are_not_shown(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "fallback", *KINDS["fallback"])
    messages = [{"role": "user", "content": "Look there"}]
    plain = read_request("chat", model, messages=messages)
    none = read_request("chat", model, messages=messages, tools=TOOLS, tool_choice="none")
    assert none.making.plan == plain.making.plan
    shown = read_request("chat", model, messages=messages, tools=TOOLS)
    assert shown.prompt_tokens > plain.prompt_tokens


async def test_a_format_or_a_call(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "hermes", *KINDS["hermes"])
    wanted = {"type": "choice", "choices": ["yes", "no"]}
    said = set()
    for seed in range(12):
        outcome = await chat(engine, model, tools=TOOLS, response_format=wanted, seed=seed)
        message = outcome.wire.message
        if outcome.wire.finish_reason != "length":
            assert message.tool_calls or message.content in ("yes", "no")
            said.add("call" if message.tool_calls else "format")
    assert said == {"call", "format"}


async def test_a_call_that_is_cut_is_told_apart(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "fallback", *KINDS["fallback"])
    seen = 0
    for most in range(10, 60, 12):
        asked = {"tools": TOOLS, "tool_choice": {"name": "look"}, "seed": 1, "max_tokens": most}
        result = (await chat(engine, model, **asked)).wire
        if result.finish_reason == "length" and result.cut_call is not None:
            seen += 1
            assert (result.cut_call.name, result.message.tool_calls) == ("look", [])
    assert seen


@pytest.mark.parametrize(("template", "marks"), [(THINKS, THINK), (THINKS, ()), (OPENS, THINK)])
async def test_a_format_holds_after_what_was_thought(
    engine: Engine, folder: Path, template: str, marks: tuple[str, ...]
) -> None:
    name = f"thinks-{len(template)}-{len(marks)}"
    model = await talker(engine, folder, name, template, marks)
    prompt = read_request(
        "chat",
        model,
        messages=[{"role": "user", "content": "Hi"}],
        response_format={"type": "regex", "pattern": "[0-9]{3}"},
    )
    letter, digit = (model.tokenizer.encode(one, special=False)[0] for one in "a7")
    for thought in ("<think>\na1\n</think>\n\n", ""):
        text = thought.removeprefix("<think>\n") if prompt.making.plan.shape.begun else thought
        if prompt.making.plan.shape.begun and not text:
            continue
        matcher = prompt.making.plan.grammar.start()
        for id in _ids(model, text, marks):
            assert matcher.mask()[id]
            matcher.take(id)
        for _ in range(3):
            mask = matcher.mask()
            assert mask[digit]
            assert not mask[letter]
            assert not any(mask[id] for id in model.stop_ids)
            ended = matcher.take(digit)
        assert ended or any(matcher.mask()[id] for id in model.stop_ids)


def _ids(model: Model, text: str, marks: Sequence[str]) -> list[int]:
    """As a model writes the text, with the marks that are tokens."""
    ids: list[int] = []
    for part in re.split(f"({'|'.join(marks) or '(?!)'})", text):
        id = model.tokenizer.added_id(part)
        ids += model.tokenizer.encode(part, special=False) if id is None else [id]
    return ids


async def test_a_model_that_always_thinks_cannot_be_kept_from_it(
    engine: Engine, folder: Path
) -> None:
    model = await talker(engine, folder, "opens", OPENS, THINK)
    with pytest.raises(Problem, match="always thinks") as caught:
        await chat(engine, model, reasoning="off")
    assert (caught.value.code, caught.value.param) == ("unsupported_parameter", "reasoning")


@pytest.mark.parametrize("marks", [THINK, ()])
async def test_a_model_that_is_not_to_think_does_not(
    engine: Engine, folder: Path, marks: tuple[str, ...]
) -> None:
    model = await talker(engine, folder, f"off-{len(marks)}", THINKS, marks)
    prompt = read_request(
        "chat", model, messages=[{"role": "user", "content": "Hi"}], reasoning="off"
    )
    matcher = prompt.making.plan.grammar.start()
    beginning = [model.tokenizer.added_id("<think>")] if marks else None
    for id in beginning or model.tokenizer.encode("<think>", special=False):
        if not matcher.mask()[id]:
            return
        matcher.take(id)
    pytest.fail("an answer may begin with the mark")


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"type": "object", "properties": {"a": {"type": "nonsense"}}}, "nonsense"),
        ({"type": "object", "if": {}}, "if"),
        ({"$ref": "#/nowhere"}, "nowhere"),
    ],
)
async def test_parameters_that_no_grammar_holds_are_named(
    engine: Engine, folder: Path, parameters: dict[str, Any], said: str
) -> None:
    model = await talker(engine, folder, "fallback", *KINDS["fallback"])
    tools = [TOOLS[0], {"name": "odd", "parameters": parameters}]
    with pytest.raises(Problem, match=f"'odd'.*{said}") as caught:
        await chat(engine, model, tools=tools)
    assert (caught.value.code, caught.value.param) == ("invalid_request", "tools.1.parameters")
    assert "response_format" not in caught.value.message


async def test_answers_share_their_prompt(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "fallback", *KINDS["fallback"])
    asked = {"messages": [{"role": "user", "content": "word " * 60}], "max_tokens": 6}
    several = await chat(engine, model, n=3, seed=7, **asked)
    assert several.result.usage.prompt_tokens == several.prompt.prompt_tokens
    assert several.prompt.max_completion_tokens == 18
    alone = [await chat(engine, model, seed=7 + i, **asked) for i in range(3)]
    assert [answer.text for answer in several.wire.answers] == [one.wire.text for one in alone]
    assert several.wire.text == several.wire.choices[0].text
    assert {delta.choice for delta in several.deltas} == {0, 1, 2}
    assert alone[0].wire.choices == []


async def test_everything_at_once(engine: Engine, folder: Path) -> None:
    model = await talker(engine, folder, "hermes-thinks", *KINDS["hermes-thinks"])
    outcome = await chat(
        engine,
        model,
        n=4,
        seed=3,
        tools=TOOLS,
        response_format={"type": "choice", "choices": ["yes"]},
        logprobs=True,
        top_logprobs=2,
        stop=["es"],
        max_tokens=120,
    )
    for number, answer in enumerate(outcome.wire.answers):
        entries = [
            entry
            for delta in outcome.deltas
            if delta.choice == number
            for entry in delta.logprobs or []
        ]
        kept = [entry.model_dump(exclude_unset=True) for entry in answer.logprobs or []]
        assert entries == kept
        assert answer.text in ("", "y")
        said = "".join(e["token"] for e in entries if e.get("part", "content") == "content")
        assert answer.text == said
