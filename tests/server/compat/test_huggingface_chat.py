"""Chat by Hugging Face's InferenceClient: whole, in pieces, with tools and schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import HfHubHTTPError, OverloadedError

from llmaas_client.wire.chat import ChatRequest
from llmaas_client.wire.errors import describe
from llmaas_client.wire.tools import ToolName
from llmaas_server.api.translated import Told
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.compat.huggingface.chat import HuggingFaceChat, HuggingFaceChatBody
from llmaas_server.errors import Problem
from llmaas_server.seam.values import Call, Delta, Result, Timing, Usage
from llmaas_server.settings import Settings
from support.front import Front, front
from support.inference import async_inference, inference, post, refused
from support.inference import online as online

SAY = [{"role": "user", "content": "one two three"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Look up the weather.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}
CITY = WEATHER["function"]["parameters"]  # type: ignore[index]


class Breaking:
    """Paces the fake backend: what is asked to break does, behind its first word."""

    def __init__(self) -> None:
        self._steps: dict[str, int] = {}

    async def __call__(self, call: Call) -> None:
        self._steps[call.id] = self._steps.get(call.id, 0) + 1
        if "break" in call.request["messages"][0]["content"] and self._steps[call.id] > 1:
            raise Problem("out_of_memory", "no room for another word")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(home=tmp_path_factory.mktemp("home"), backend="fake")
    with front(settings, FakeBackend(pace=Breaking())) as running:
        yield running


@pytest.fixture
def client(server: Front) -> InferenceClient:
    return inference(server, "chat")


def test_whole(client: InferenceClient) -> None:
    answer = client.chat_completion(SAY, max_tokens=10)
    (choice,) = answer.choices
    assert (choice.message.role, choice.message.content) == ("assistant", "one two three")
    assert (choice.finish_reason, answer.usage.completion_tokens) == ("stop", 3)


def test_in_pieces(client: InferenceClient) -> None:
    options = {"include_usage": True}
    stream = client.chat_completion(SAY, stream=True, stream_options=options)
    pieces = list(stream)
    assert pieces[0].choices[0].delta.role == "assistant"
    texts = [choice.delta.content or "" for piece in pieces for choice in piece.choices]
    assert "".join(texts) == "one two three"
    reasons = [choice.finish_reason for piece in pieces for choice in piece.choices]
    assert [one for one in reasons if one] == ["stop"]
    assert pieces[-1].usage is not None
    assert pieces[-1].usage.completion_tokens == 3


async def test_in_pieces_by_the_async_client(server: Front) -> None:
    async with async_inference(server, "chat") as client:
        stream = await client.chat_completion(SAY, stream=True)
        texts = [piece.choices[0].delta.content or "" async for piece in stream]
    assert "".join(texts) == "one two three"


@pytest.mark.parametrize("path", ["/hf/chat", "/hf/chat/", "/hf/chat/v1", "/hf/chat/v1/"])
def test_as_the_client_of_openai(server: Front, path: str) -> None:
    client = InferenceClient(base_url=server.url + path, api_key=server.key)
    answer = client.chat.completions.create(
        model="tgi",
        messages=SAY,
        n=2,
        logprobs=True,
        top_logprobs=2,
        seed=1,
        stop=["three"],
        temperature=0.5,
        top_p=0.9,
        frequency_penalty=0.0,
    )
    assert [one.message.content for one in answer.choices] == ["one two ", "two "]
    assert len(answer.choices[0].logprobs.content[0].top_logprobs) == 2


def test_at_the_addresses_of_openai(server: Front) -> None:
    client = InferenceClient(base_url=f"{server.url}/v1", api_key=server.key)
    answer = client.chat.completions.create(model="smollm2-135m-instruct-q4_1", messages=SAY)
    assert answer.choices[0].message.content == "one two three"


def test_a_model_is_named_in_the_call(server: Front, client: InferenceClient) -> None:
    model = "smollm2-135m-instruct-q4_1"
    assert client.chat_completion(SAY, model=model).choices
    assert refused(server, "chat", "chat_completion", SAY, model="nobody")["param"] == "model"
    task = f"chat?model={model}"
    assert inference(server, task).chat_completion(SAY, model=model).choices
    error = refused(server, task, "chat_completion", SAY, model="all-minilm-l6-v2")
    assert (error["code"], error["param"]) == ("invalid_request", "model")


@pytest.mark.parametrize("path", ["chat", "chat/v1/chat/completions"])
def test_at_both_addresses(server: Front, path: str) -> None:
    answer = post(server, path, {"messages": SAY})
    assert answer["choices"][0]["message"]["content"] == "one two three"


def test_tools_and_what_they_brought(client: InferenceClient) -> None:
    """The message of the answer goes back as it is, with all its nulls."""
    messages: list[Any] = [{"role": "user", "content": "How is Oslo?"}]
    choice: Any = {"function": {"name": "weather"}}
    tools: list[Any] = [WEATHER]
    answer = client.chat_completion(messages, tools=tools, tool_choice=choice)
    said = answer.choices[0].message
    assert said.tool_calls is not None
    (call,) = said.tool_calls
    assert (call.function.name, answer.choices[0].finish_reason) == ("weather", "tool_calls")
    assert set(json.loads(call.function.arguments)) == {"city"}
    brought = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    after = client.chat_completion([*messages, said, brought], tools=tools)
    assert after.choices[0].message.content == "rain"


def test_tools_in_pieces(client: InferenceClient) -> None:
    tools: list[Any] = [WEATHER]
    stream = client.chat_completion(SAY, tools=tools, tool_choice="required", stream=True)
    calls = [call for one in stream for call in one.choices[0].delta.tool_calls or ()]
    assert [call.function.name for call in calls if call.function.name] == ["weather"]
    assert set(json.loads("".join(call.function.arguments for call in calls))) == {"city"}


@pytest.mark.parametrize(
    "wanted",
    [
        {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}},
        {"type": "json", "value": CITY},
        {"type": "json_object", "value": CITY},
    ],
)
def test_schemas(client: InferenceClient, wanted: Any) -> None:
    answer = client.chat_completion(SAY, response_format=wanted)
    assert set(json.loads(answer.choices[0].message.content or "")) == {"city"}


@pytest.mark.parametrize(
    ("options", "param"),
    [
        ({"tool_prompt": "Tools:"}, "tool_prompt"),
        ({"frequency_penalty": 0.5}, "frequency_penalty"),
        ({"presence_penalty": 0.5}, "presence_penalty"),
        ({"logit_bias": [1.0]}, "logit_bias"),
        ({"response_format": {"type": "regex", "value": "a+"}}, "response_format"),
        ({"extra_body": {"dimensions": 3}}, "dimensions"),
    ],
)
def test_refuses_by_name(server: Front, options: dict[str, Any], param: str) -> None:
    error = refused(server, "chat", "chat_completion", SAY, **options)
    assert (error["code"], error["param"]) == ("unsupported_parameter", param)


@pytest.mark.parametrize(
    ("messages", "code"),
    [
        ([], "invalid_request"),
        ([{"role": "user", "content": ""}], "empty_text"),
        (["hello"], "invalid_request"),
        ([{"role": "assistant", "tool_calls": ["x"]}], "invalid_request"),
        ([{"role": "user", "content": [{"type": "image_url"}]}], "unsupported_parameter"),
    ],
)
def test_bad_messages(server: Front, messages: Any, code: str) -> None:
    assert refused(server, "chat", "chat_completion", messages)["code"] == code


def test_a_stream_that_fails_at_once_has_a_status(client: InferenceClient) -> None:
    with pytest.raises(HfHubHTTPError, match="no model is named 'nobody'"):
        client.chat_completion(SAY, model="nobody", stream=True)


def test_a_stream_that_fails_later_says_why(client: InferenceClient) -> None:
    messages: list[Any] = [{"role": "user", "content": "break after this"}]
    stream = iter(client.chat_completion(messages, stream=True))
    assert [next(stream).choices[0].delta.content for _ in range(2)] == ["", "break "]
    with pytest.raises(OverloadedError, match="no room for another word"):
        next(stream)


def test_errors_of_streams_have_classes() -> None:
    event = HuggingFaceChat().error(describe("context_overflow", "too long", request_id="req_1"))
    told = json.loads(event.removeprefix(b"data: "))
    assert (told["error"], told["error_type"]) == ("too long", "validation")
    assert told["details"]["request_id"] == "req_1"


def test_reasoning_is_where_they_look_for_it() -> None:
    format, told = HuggingFaceChat(), Told("req_1", "m", 0)
    body = HuggingFaceChatBody.model_validate({"messages": SAY})
    piece = format.script(body, told).delta(Delta("", reasoning="Let me see."))
    assert json.loads(piece.removeprefix(b"data: "))["choices"][0]["delta"] == {
        "reasoning": "Let me see."
    }
    message = {"role": "assistant", "content": "Yes.", "reasoning": "Let me see."}
    result = Result({"message": message, "finish_reason": "stop"}, Usage(), Timing(0, 0, 0, 0))
    assert format.write(body, told, result).choices[0].message.reasoning == "Let me see."


def test_what_their_client_sends_back_is_read() -> None:
    called = {"name": "weather", "arguments": {"city": "Oslo"}, "description": None}
    said = {
        "role": "assistant",
        "content": None,
        "reasoning": "Hm.",
        "tool_call_id": None,
        "tool_calls": [{"id": "call-0", "type": "function", "function": called}],
    }
    brought = {"role": "tool", "tool_call_id": "call-0", "content": "rain"}
    body = HuggingFaceChatBody.model_validate(
        {
            "model": "dummy",
            "messages": [*SAY, said, brought],
            "tools": [WEATHER],
            "tool_choice": {"function": {"name": "weather"}},
            "response_format": {"type": "json_object", "value": CITY},
        }
    )
    request = HuggingFaceChat().read(body)
    assert isinstance(request, ChatRequest)
    assert request.model is None
    assert request.tool_choice == ToolName(name="weather")
    assert request.messages[1].reasoning == "Hm."
    assert request.messages[1].tool_calls is not None
    assert request.messages[1].tool_calls[0].arguments == {"city": "Oslo"}
    assert request.response_format is not None
    assert request.response_format.model_dump()["schema"] == CITY
