"""Answers that must have a format, on the real engine with a small random model.

Nothing in its weights leads to the format: only the grammar does.
"""

from __future__ import annotations

import asyncio
import json
import re
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.errors import Problem
from llmaas_server.runtime.engine import Engine
from llmaas_server.runtime.interface import Model
from support import tiny
from support.tasks import Outcome, read_request, run_task

SCHEMA = {
    "type": "object",
    "properties": {
        "mood": {"enum": ["good", "bad", None]},
        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
        "words": {
            "type": "array",
            "items": {"type": "string", "maxLength": 6},
            "minItems": 1,
            "maxItems": 2,
        },
    },
    "required": ["mood", "stars", "words"],
    "additionalProperties": False,
}
NESTED: dict[str, Any] = {"type": "string"}
for _ in range(150):
    NESTED = {"type": "array", "items": NESTED}

CHOICES = ["yes", "yesterday", 'say "no"', "C:\\new\nline", "今天", "a\x01b", "/* // */"]
SEEDS = range(12)
MESSAGES = [{"role": "user", "content": "Tell me"}]


@pytest.fixture
async def model(engine: Engine, tmp_path: Path) -> Model:
    return await engine.load(tiny.llama(tmp_path))


async def chat(engine: Engine, model: Model, **request: Any) -> Outcome:
    hot = {"temperature": 2.0, "max_tokens": 400}
    return await run_task("chat", model, engine, messages=MESSAGES, **{**hot, **request})


def as_schema(text: str) -> bool:
    value = json.loads(text)
    return (
        list(value) == ["mood", "stars", "words"]
        and value["mood"] in ("good", "bad", None)
        and type(value["stars"]) is int
        and 1 <= value["stars"] <= 5
        and 1 <= len(value["words"]) <= 2
        and all(isinstance(word, str) and len(word) <= 6 for word in value["words"])
    )


FORMATS = [
    ({"type": "json_schema", "schema": SCHEMA}, as_schema),
    (
        {"type": "regex", "pattern": r"[a-z]{2,5}/\d{3}-(é|你)"},
        lambda text: re.fullmatch(r"[a-z]{2,5}/\d{3}-(é|你)", text),
    ),
    ({"type": "choice", "choices": CHOICES}, CHOICES.__contains__),
]


@pytest.mark.parametrize(("wanted", "holds"), FORMATS)
async def test_every_answer_has_its_format(
    engine: Engine, model: Model, wanted: Any, holds: Any
) -> None:
    outcomes = await asyncio.gather(
        *(chat(engine, model, response_format=wanted, seed=seed) for seed in SEEDS),
        chat(engine, model, response_format=wanted, temperature=0.0),
        chat(engine, model, response_format=wanted, top_k=3, top_p=0.5, min_p=0.3, seed=1),
    )
    for outcome in outcomes:
        assert outcome.wire.finish_reason == "stop"
        assert holds(outcome.wire.text), outcome.wire.text
        assert outcome.streamed == outcome.wire.text
    assert len({outcome.wire.text for outcome in outcomes}) > 1


async def test_any_json_object(engine: Engine, model: Model) -> None:
    for seed in SEEDS:
        outcome = await chat(engine, model, response_format={"type": "json"}, seed=seed)
        if outcome.wire.finish_reason == "stop":
            assert isinstance(json.loads(outcome.wire.text), dict)
        else:
            assert outcome.result.usage.completion_tokens == 400


async def test_neither_the_constrained_nor_their_neighbours_depend_on_each_other(
    engine: Engine, model: Model
) -> None:
    requests: list[dict[str, Any]] = [
        {"response_format": wanted, "seed": seed, "max_tokens": 40}
        for seed, (wanted, _) in enumerate(FORMATS)
    ]
    requests += [{"seed": 7, "max_tokens": 40}, {"temperature": 0.0, "max_tokens": 40}]
    alone = [(await chat(engine, model, **request)).wire.text for request in requests]
    together = await asyncio.gather(*(chat(engine, model, **request) for request in requests))
    assert [outcome.wire.text for outcome in together] == alone


async def test_an_answer_that_was_cut_says_so(engine: Engine, model: Model) -> None:
    wanted = {"type": "regex", "pattern": "[a-z ]{400}"}
    outcome = await chat(engine, model, response_format=wanted, max_tokens=5)
    assert outcome.wire.finish_reason == "length"
    assert outcome.result.usage.completion_tokens == 5


async def test_an_answer_that_is_complete_with_its_last_token_was_not_cut(
    engine: Engine, model: Model
) -> None:
    wanted = {"type": "choice", "choices": ["é"]}
    outcome = await chat(engine, model, response_format=wanted, max_tokens=2)
    assert (outcome.wire.text, outcome.wire.finish_reason) == ("é", "stop")


async def test_a_grammar_that_may_end_also_may_go_on(engine: Engine, model: Model) -> None:
    wanted = {"type": "regex", "pattern": "(ab)+"}
    texts = {
        (await chat(engine, model, response_format=wanted, seed=seed, max_tokens=50)).wire.text
        for seed in range(40)
    }
    assert all(re.fullmatch("(ab)+a?", text) for text in texts)
    assert len(texts) > 1


async def test_log_probabilities_are_those_without_the_grammar(
    engine: Engine, model: Model
) -> None:
    asked = {"logprobs": True, "top_logprobs": 5, "seed": 1}
    wanted = {"type": "choice", "choices": ["zebra", "quiz"]}
    free = await chat(engine, model, **asked, max_tokens=1)
    held = await chat(engine, model, **asked, response_format=wanted)
    # The beginning of the second prompt may come from the cache: the same within rounding.
    for one, other in zip(held.wire.logprobs[0].top, free.wire.logprobs[0].top, strict=True):
        assert one.token == other.token
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
    assert held.wire.logprobs[0].logprob < 0


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"type": "json_schema", "schema": {"type": "nonsense"}}, "nonsense"),
        ({"type": "json_schema", "schema": {"if": {}}}, "if"),
        ({"type": "json_schema", "schema": {"$ref": "#/nowhere"}}, "nowhere"),
        ({"type": "json_schema", "schema": {"$ref": "http://127.0.0.1:9/x"}}, "127.0.0.1"),
        ({"type": "json_schema", "schema": {"const": "\ud800"}}, "hex escape"),
        ({"type": "json_schema", "schema": NESTED}, "recursion limit"),
        ({"type": "json_schema", "schema": {"x-guidance": {"wat": 1}}}, "wat"),
        ({"type": "regex", "pattern": "[a-z]+("}, "unclosed group"),
        ({"type": "regex", "pattern": "(?=x)a"}, "look-around"),
    ],
)
async def test_a_format_that_is_none_is_found_before_anything_runs(
    engine: Engine, model: Model, wanted: Any, said: str
) -> None:
    with pytest.raises(Problem, match="response_format") as caught:
        read_request("chat", model, messages=MESSAGES, response_format=wanted)
    assert (caught.value.code, caught.value.param) == ("invalid_request", "response_format")
    assert said in caught.value.message
