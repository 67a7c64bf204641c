from __future__ import annotations

from typing import Any

import pytest

from llmaas_client.bench.dialects import (
    NOTHING,
    Api,
    Dialect,
    LlmaasChat,
    LlmaasTexts,
    News,
    OpenAIChat,
    OpenAIEmbeddings,
    Shape,
    Task,
    dialect_of,
    read_refusal,
)
from llmaas_client.errors import ConfigurationError
from llmaas_client.wire import TASKS
from llmaas_client.wire.base import Usage

USAGE = Usage(prompt_tokens=5, cached_tokens=2, completion_tokens=3)
OPENAI_USAGE = (
    '"usage": {"prompt_tokens": 5, "completion_tokens": 3, "total_tokens": 8,'
    ' "prompt_tokens_details": {"cached_tokens": 2}}'
)
LLMAAS_USAGE = '"usage": {"prompt_tokens": 5, "cached_tokens": 2, "completion_tokens": 3}'


@pytest.mark.parametrize(
    ("dialect", "event", "data", "news"),
    [
        (OpenAIChat(), "message", '{"choices": [{"delta": {"role": "assistant"}}]}', NOTHING),
        (OpenAIChat(), "message", '{"choices": [{"delta": {"content": ""}}]}', NOTHING),
        (OpenAIChat(), "message", '{"choices": [{"delta": {"content": null}}]}', NOTHING),
        (OpenAIChat(), "message", '{"choices": [{"delta": {"content": "a"}}]}', News(True)),
        (OpenAIChat(), "message", '{"choices": [{"delta": {"reasoning": "a"}}]}', News(True)),
        (OpenAIChat(), "message", '{"choices": [], "usage": null}', NOTHING),
        (OpenAIChat(), "message", f'{{"choices": [], {OPENAI_USAGE}}}', News(usage=USAGE)),
        (OpenAIChat(), "message", "[DONE]", News(done=True)),
        (
            OpenAIChat(),
            "message",
            '{"choices": [{"delta": {}, "finish_reason": "length"}]}',
            News(finished=True),
        ),
        (OpenAIChat(), "message", '{"error": {"code": "full"}}', News(error="full", done=True)),
        (OpenAIChat(), "message", '{"error": {"code": 7}}', News(error="error", done=True)),
        (OpenAIEmbeddings(), "", f'{{"data": [], {OPENAI_USAGE}}}', News(usage=USAGE, done=True)),
        (LlmaasChat(), "start", "{}", NOTHING),
        (LlmaasChat(), "delta", '{"text": "a"}', News(True)),
        (LlmaasChat(), "delta", '{"text": ""}', NOTHING),
        (LlmaasChat(), "done", f"{{{LLMAAS_USAGE}}}", News(usage=USAGE, done=True)),
        (LlmaasChat(), "error", '{"error": {"code": "x"}}', News(error="x", done=True)),
        (LlmaasChat(), "of a newer server", "[]", NOTHING),
        (LlmaasTexts("embed"), "", f"{{{LLMAAS_USAGE}}}", News(usage=USAGE, done=True)),
    ],
)
def test_what_an_answer_tells(dialect: Dialect, event: str, data: str, news: News) -> None:
    assert dialect.read(event, data) == news


@pytest.mark.parametrize("dialect", [OpenAIChat(), OpenAIEmbeddings(), LlmaasTexts("classify")])
@pytest.mark.parametrize("data", ["", "[]", "hello", '{"usage": 7}'])
def test_what_is_not_of_the_dialect_is_a_value_error(dialect: Dialect, data: str) -> None:
    with pytest.raises(ValueError):
        dialect.read("message", data)


@pytest.mark.parametrize("task", ["chat", "classify", "embed"])
def test_bodies_are_requests_of_our_own_contract(task: Task) -> None:
    dialect = dialect_of("llmaas", task)
    prompts = [[{"role": "user", "content": text}] for text in ("one", "two")]
    body = dialect.body(prompts, Shape("m", 7, ignore_eos=True))
    TASKS[task].request.model_validate(body)
    assert dialect.path == TASKS[task].path


def test_what_is_asked_of_a_chat() -> None:
    prompt = [{"role": "user", "content": "one"}]
    body = OpenAIChat().body([prompt], Shape("m", 7, ignore_eos=True, extra={"top_k": 1}))
    assert body == {
        "model": "m",
        "messages": prompt,
        "max_tokens": 7,
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
        "ignore_eos": True,
        "top_k": 1,
    }
    assert "ignore_eos" not in OpenAIChat().body([prompt], Shape("m", 7, ignore_eos=False))


def test_openai_has_no_classify() -> None:
    api: Api = "openai"
    with pytest.raises(ConfigurationError, match="no task 'classify'"):
        dialect_of(api, "classify")


@pytest.mark.parametrize(
    ("body", "code", "message"),
    [
        (b'{"error": {"code": "overloaded", "message": "full"}}', "overloaded", "full"),
        (b'{"error": {"code": 503, "message": "Loading model"}}', "http_503", "Loading model"),
        (b'{"error": {"code": null, "message": "no"}}', "http_503", "no"),
        (b'{"error": "not now"}', "http_503", "not now"),
        (b'{"detail": "x"}', "http_503", '{"detail": "x"}'),
        (b"<html>", "http_503", "<html>"),
        (b"", "http_503", ""),
    ],
)
def test_refusals_of_any_server(body: bytes, code: str, message: Any) -> None:
    assert read_refusal(503, body) == (code, message)
