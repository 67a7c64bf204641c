"""The `openai` package, as people use it. Run with a base URL; the key is in OPENAI_API_KEY."""

from __future__ import annotations

import json
import sys

import openai
from openai import OpenAI

CHAT, EMBED = sys.argv[2], sys.argv[3]
client = OpenAI(base_url=sys.argv[1], max_retries=0)
say = [{"role": "user", "content": "one two three"}]
TOOL = {
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
FLAT_TOOL = {"type": "function", **TOOL["function"]}
CITY = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}


def models() -> None:
    ids = [model.id for model in client.models.list()]
    assert {CHAT, EMBED} <= set(ids), ids
    assert client.models.retrieve(CHAT).id == CHAT


def chat() -> None:
    said = client.chat.completions.create(
        model=CHAT,
        messages=[
            {"role": "developer", "content": "Be short."},
            {"role": "user", "content": [{"type": "text", "text": "one two three"}]},
        ],
        max_completion_tokens=2,
        temperature=0,
        seed=-1,
        stop=["@"],
        n=2,
        logprobs=True,
        top_logprobs=2,
        user="somebody",
        metadata={"a": "b"},
        store=False,
        service_tier="auto",
        frequency_penalty=0,
        safety_identifier="x",
        prompt_cache_key="y",
    )
    assert said.object == "chat.completion"
    assert [choice.index for choice in said.choices] == [0, 1]
    first = said.choices[0]
    assert first.finish_reason == "length"
    assert first.message.role == "assistant"
    assert first.message.content
    entries = first.logprobs.content
    assert len(entries) == 2
    assert len(entries[0].top_logprobs) == 2
    assert "".join(entry.token for entry in entries) == first.message.content
    assert bytes(entries[0].bytes).decode() == entries[0].token
    assert said.usage.completion_tokens == 4
    assert said.usage.total_tokens == said.usage.prompt_tokens + 4
    assert said._request_id.startswith("req_")


def stream() -> None:
    chunks = list(
        client.chat.completions.create(
            model=CHAT,
            messages=say,
            max_tokens=2,
            n=2,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    by_choice = {0: [], 1: []}
    for chunk in chunks[:-1]:
        assert chunk.usage is None
        (choice,) = chunk.choices
        by_choice[choice.index].append(choice)
    for pieces in by_choice.values():
        assert pieces[0].delta.role == "assistant"
        assert all(piece.delta.role is None for piece in pieces[1:])
        assert [piece.finish_reason for piece in pieces if piece.finish_reason] == ["length"]
        assert pieces[-1].finish_reason
        assert "".join(piece.delta.content or "" for piece in pieces)
    assert chunks[-1].choices == []
    assert chunks[-1].usage.completion_tokens == 4
    assert len({chunk.id for chunk in chunks}) == 1
    plain = list(
        client.chat.completions.create(model=CHAT, messages=say, max_tokens=3, stream=True)
    )
    assert all(len(chunk.choices) == 1 and chunk.usage is None for chunk in plain)


def tools() -> None:
    ask = [{"role": "user", "content": "What is the weather in Paris"}]
    said = client.chat.completions.create(
        model=CHAT,
        messages=ask,
        tools=[TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        max_tokens=100,
        temperature=0,
    )
    (choice,) = said.choices
    assert choice.finish_reason == "tool_calls", said
    (call,) = choice.message.tool_calls
    assert call.function.name == "weather"
    assert set(json.loads(call.function.arguments)) == {"city"}
    answer = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    more = client.chat.completions.create(
        model=CHAT, messages=[*ask, choice.message, answer], tools=[TOOL], max_tokens=5
    )
    assert more.choices[0].message.content
    named = {"type": "function", "function": {"name": "weather"}}
    with client.chat.completions.stream(
        model=CHAT,
        messages=ask,
        tools=[TOOL],
        tool_choice=named,
        max_tokens=100,
        temperature=0,
    ) as events:
        seen = [event for event in events if event.type == "chunk"]
        whole = events.get_final_completion()
    pieces = [
        piece
        for event in seen
        for choice in event.chunk.choices
        for piece in choice.delta.tool_calls or ()
    ]
    assert [piece.index for piece in pieces if piece.id] == [0]
    assert pieces[0].id
    assert whole.choices[0].finish_reason == "tool_calls"
    assert json.loads(whole.choices[0].message.tool_calls[0].function.arguments).keys() == {"city"}


def formats() -> None:
    for wanted in (
        {"type": "text"},
        {"type": "json_schema", "json_schema": {"name": "c", "strict": True, "schema": CITY}},
    ):
        said = client.chat.completions.create(
            model=CHAT,
            messages=[{"role": "user", "content": "Name a city"}],
            response_format=wanted,
            temperature=0,
            max_tokens=200,
        )
    assert set(json.loads(said.choices[0].message.content)) == {"city"}


def completions() -> None:
    said = client.completions.create(
        model=CHAT, prompt=["one two", "three four"], n=2, max_tokens=2, logprobs=1, echo=False
    )
    assert said.object == "text_completion"
    assert [choice.index for choice in said.choices] == [0, 1, 2, 3]
    first = said.choices[0]
    assert "".join(first.logprobs.tokens) == first.text
    assert first.logprobs.text_offset[0] == 0
    chunks = list(
        client.completions.create(
            model=CHAT,
            prompt="one two three",
            max_tokens=2,
            stream=True,
            stream_options={"include_usage": True},
        )
    )
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices)
    assert [c.finish_reason for chunk in chunks for c in chunk.choices if c.finish_reason] == [
        "length"
    ]
    assert chunks[-1].usage.completion_tokens == 2


def embeddings() -> None:
    texts = ["one", "two three"]
    numbers = client.embeddings.create(model=EMBED, input=texts, encoding_format="float")
    packed = client.embeddings.create(model=EMBED, input=texts)  # base64 on the way
    assert [item.index for item in packed.data] == [0, 1]
    for one, other in zip(numbers.data, packed.data, strict=True):
        assert len(one.embedding) == len(other.embedding)
        pairs = zip(one.embedding, other.embedding, strict=True)
        assert max(abs(a - b) for a, b in pairs) < 1e-6
    assert packed.usage.total_tokens > 0


def responses() -> None:
    said = client.responses.create(
        model=CHAT,
        instructions="Be short.",
        input="one two three",
        max_output_tokens=2,
        temperature=0,
        store=False,
    )
    assert said.status == "incomplete"
    assert said.incomplete_details.reason == "max_output_tokens"
    assert said.output_text
    assert said.usage.output_tokens == 2
    ask = [{"role": "user", "content": "What is the weather in Paris"}]
    called = client.responses.create(
        model=CHAT,
        input=ask,
        tools=[FLAT_TOOL],
        tool_choice="required",
        parallel_tool_calls=False,
        temperature=0,
    )
    assert called.status == "completed"
    (call,) = [item for item in called.output if item.type == "function_call"]
    output = {"type": "function_call_output", "call_id": call.call_id, "output": "rain"}
    more = client.responses.create(
        model=CHAT, input=[*ask, *called.output, output], tools=[FLAT_TOOL], max_output_tokens=5
    )
    assert more.output_text
    named = client.responses.create(
        model=CHAT,
        input="Name a city",
        text={"format": {"type": "json_schema", "name": "c", "schema": CITY, "strict": True}},
        temperature=0,
    )
    assert set(json.loads(named.output_text)) == {"city"}


def response_events() -> None:
    def events(**options):
        with client.responses.stream(model=CHAT, temperature=0, **options) as stream:
            seen = list(stream)
            return seen, stream.get_final_response()

    seen, whole = events(input="one two three", max_output_tokens=40)
    types = [event.type for event in seen]
    assert types[:4] == [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
    ]
    assert types[-4:] == [
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        f"response.{whole.status}",
    ]
    assert set(types[4:-4]) == {"response.output_text.delta"}
    assert [event.sequence_number for event in seen] == list(range(len(seen)))
    text = "".join(event.delta for event in seen if event.type == "response.output_text.delta")
    assert text == whole.output_text
    choice = {"type": "function", "name": "weather"}
    seen, whole = events(input="weather in Paris", tools=[FLAT_TOOL], tool_choice=choice)
    types = [event.type for event in seen]
    assert types[2] == "response.output_item.added"
    assert "response.function_call_arguments.delta" in types
    assert types[-3:] == [
        "response.function_call_arguments.done",
        "response.output_item.done",
        "response.completed",
    ]
    (call,) = whole.output
    pieces = [e.delta for e in seen if e.type == "response.function_call_arguments.delta"]
    assert "".join(pieces) == call.arguments
    assert json.loads(call.arguments).keys() == {"city"}


def decisions() -> None:
    if not hasattr(client, "decisions"):
        return
    made = client.decisions.create(
        model=EMBED,
        input="I was charged twice for one order, and I am angry.",
        questions=[
            {"type": "predicate", "name": "angry", "instructions": "The customer is angry."},
            {
                "type": "choice",
                "name": "topic",
                "instructions": "What is it about?",
                "choices": [{"value": "billing", "description": "being charged"}, {"value": "art"}],
            },
            {
                "type": "choice",
                "instructions": "Is it about an order?",
                "choices": [{"value": True}, {"value": False}],
            },
            {
                "type": "score",
                "instructions": "How urgent is it?",
                "levels": [{"label": "calm"}, {"label": "soon"}, {"label": "now"}],
            },
        ],
    )
    angry, topic, order, urgent = made.answers
    assert angry.name == "angry"
    assert 0 <= angry.probability <= 1
    assert topic.choice == "billing", topic
    assert topic.confidence == max(one.probability for one in topic.probabilities)
    assert {one.value for one in order.probabilities} == {True, False}
    assert isinstance(order.choice, bool)
    assert [one.value for one in urgent.probabilities] == [0, 1, 2]
    mean = sum(one.value * one.probability for one in urgent.probabilities)
    assert abs(mean - urgent.score) < 1e-6
    assert made.usage.total_tokens > 0


def raises(kind: type[openai.APIError], call, param: str | None = None) -> openai.APIError:
    found: openai.APIError | None = None
    try:
        call()
    except kind as error:
        found = error
    assert found is not None, f"{kind.__name__} was not raised"
    assert param is None or found.param == param, (found.param, param)
    return found


def refusals() -> None:
    def ask(**options):
        return lambda: client.chat.completions.create(**{"model": CHAT, "messages": say, **options})

    bad = openai.BadRequestError
    for name, value in {
        "logit_bias": {"1": 1},
        "frequency_penalty": 0.5,
        "presence_penalty": -1,
        "modalities": ["text", "audio"],
        "audio": {"voice": "alloy", "format": "wav"},
        "web_search_options": {},
        "store": True,
        "service_tier": "flex",
        "prediction": {"type": "content", "content": "x"},
        "functions": [],
    }.items():
        error = raises(bad, ask(extra_body={name: value}), name)
        assert error.code == "unsupported_parameter"
    assert raises(bad, ask(extra_body={"nonsense": 1}), "nonsense").code == "unknown_field"
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}
    error = raises(bad, ask(messages=[{"role": "user", "content": [image]}]))
    assert "image_url" in error.message
    raises(bad, ask(top_logprobs=2), "top_logprobs")
    raises(bad, lambda: client.embeddings.create(model=EMBED, input=[[1, 2]]), "input")
    raises(
        bad, lambda: client.embeddings.create(model=EMBED, input="a", dimensions=4), "dimensions"
    )
    raises(
        bad,
        lambda: client.responses.create(model=CHAT, input="a", previous_response_id="resp_1"),
        "previous_response_id",
    )
    raises(bad, lambda: client.completions.create(model=CHAT, prompt="a", suffix="b"), "suffix")
    raises(openai.NotFoundError, ask(model="no-such-model"), "model")
    stranger = client.with_options(api_key="llmaas_no")
    error = raises(openai.AuthenticationError, lambda: stranger.models.list())
    assert error.request_id.startswith("req_")
    assert error.body["hint"]


for step in (
    models, chat, stream, tools, formats, completions, embeddings, responses, response_events,
    decisions, refusals,
):  # fmt: skip
    step()
    print(step.__name__, "ok", flush=True)
