"""`langchain-openai`, as people use it. Run with a base URL; the key is in OPENAI_API_KEY."""

from __future__ import annotations

import sys

from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from pydantic import BaseModel

URL, CHAT, EMBED = sys.argv[1:4]


@tool
def weather(city: str) -> str:
    """Look up the weather."""
    return f"rain in {city}"


class City(BaseModel):
    """A city."""

    city: str


def chat(**options) -> ChatOpenAI:
    return ChatOpenAI(
        base_url=URL, model=CHAT, temperature=0, max_tokens=60, max_retries=0, **options
    )


def use(model: ChatOpenAI) -> None:
    said = model.invoke([SystemMessage("Be short."), HumanMessage("one two three")])
    assert said.text
    assert said.usage_metadata["total_tokens"] > 0
    pieces = list(model.stream("one two three"))
    assert "".join(piece.text for piece in pieces)
    assert sum(piece.usage_metadata is not None for piece in pieces) <= 1
    ask = HumanMessage("What is the weather in Paris")
    caller = model.bind_tools([weather], tool_choice="weather")
    called = caller.invoke([ask])
    (call,) = called.tool_calls
    assert call["name"] == "weather"
    brought = ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"])
    last = model.bind_tools([weather], tool_choice="none")
    assert last.invoke([ask, called, brought]).text
    whole = None
    for piece in caller.stream([ask]):
        whole = piece if whole is None else whole + piece
    assert whole.tool_calls[0]["args"].keys() == {"city"}
    for method in ("json_schema", "function_calling"):
        city = model.with_structured_output(City, method=method).invoke("Name a city")
        assert isinstance(city, City), method


use(chat())
use(chat(use_responses_api=True))
assert len(chat().batch(["one", "two"])) == 2
embeddings = OpenAIEmbeddings(base_url=URL, model=EMBED, check_embedding_ctx_length=False)
vectors = embeddings.embed_documents(["one", "two three"])
assert len(vectors) == 2
assert len(embeddings.embed_query("one")) == len(vectors[0])
