"""`litellm`, as people use it. Run with a base URL; the key is in OPENAI_API_KEY."""

from __future__ import annotations

import json
import sys

import litellm

URL, CHAT, EMBED = sys.argv[1:4]
litellm.suppress_debug_info = True
there = {"api_base": URL, "num_retries": 0}
say = [{"role": "user", "content": "one two three"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def ask(**options):
    options = {"messages": say, "max_tokens": 60, "temperature": 0, **options}
    return litellm.completion(model=f"openai/{CHAT}", **options, **there)


said = ask(max_tokens=2)
assert said.choices[0].message.content
assert said.choices[0].finish_reason == "length"
assert said.usage.completion_tokens == 2
pieces = list(ask(stream=True, stream_options={"include_usage": True}))
assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices)
assert pieces[-1].usage.total_tokens > 0
weather = [{"role": "user", "content": "What is the weather in Paris"}]
named = {"type": "function", "function": {"name": "weather"}}
called = ask(messages=weather, tools=[TOOL], tool_choice=named)
assert called.choices[0].finish_reason == "tool_calls"
(call,) = called.choices[0].message.tool_calls
assert json.loads(call.function.arguments).keys() == {"city"}
brought = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
more = ask(messages=[*weather, called.choices[0].message, brought], tools=[TOOL])
assert more.choices[0].message.content
whole = litellm.stream_chunk_builder(
    list(ask(messages=weather, tools=[TOOL], tool_choice=named, stream=True))
)
assert json.loads(whole.choices[0].message.tool_calls[0].function.arguments).keys() == {"city"}
made = litellm.embedding(model=f"openai/{EMBED}", input=["one", "two"], **there)
assert len(made.data) == 2
answer = litellm.responses(model=f"openai/{CHAT}", input="one two three", api_base=URL)
assert answer.output[0].content[0].text
for kind, options in {
    litellm.BadRequestError: {"logit_bias": {"1": 1}},
    litellm.NotFoundError: {"model": "no-such-model"},
    litellm.AuthenticationError: {"api_key": "llmaas_no"},
}.items():
    model = f"openai/{options.pop('model', CHAT)}"
    try:
        litellm.completion(model=model, messages=say, **options, **there)
    except kind:
        continue
    raise AssertionError(f"{kind.__name__} was not raised")
