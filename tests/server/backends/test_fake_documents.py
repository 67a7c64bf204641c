"""Documents and schemas at the fake backend."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from llmaas_client.wire.chat import ChatRequest, ChatResult
from llmaas_server.backends.fake_answers import answer
from llmaas_server.backends.fake_json import least
from support import answers


def chat(**request: Any) -> ChatResult:
    asked = {"messages": [{"role": "user", "content": "red cats"}], **request}
    body = answer(ChatRequest.model_validate(asked), 4096).body
    return ChatResult.model_validate(answers.HEAD | body)


def test_documents_that_share_a_word_are_given() -> None:
    result = chat(documents=["blue dogs", {"text": "cats sleep", "id": "c"}])
    assert result.passages is not None
    assert result.citations is not None
    assert [(one.document, one.id, one.text) for one in result.passages] == [(1, "c", "cats sleep")]
    assert (result.citations[0].answer_start, result.citations[0].answer_end) == (0, 8)
    assert result.unsupported == []


def test_where_none_does_nothing_is_cited() -> None:
    result = chat(documents=["blue dogs"])
    assert (result.passages, result.citations) == ([], [])
    assert result.unsupported is not None
    assert result.unsupported[0].text == "red cats"
    assert chat().passages is None


class Leaf(BaseModel):
    word: str
    level: int
    share: float


class Tree(BaseModel):
    leaf: Leaf
    leaves: tuple[Leaf, int]
    maybe: int | None


@pytest.mark.parametrize("kind", [Tree, Leaf, int, list[int], dict[str, int], bool | str])
def test_the_least_of_a_schema_validates(kind: Any) -> None:
    adapter = TypeAdapter(kind)
    schema = adapter.json_schema()
    adapter.validate_python(least(schema, schema))
    result = chat(response_format={"type": "json_schema", "schema": schema})
    adapter.validate_json(result.text)
    assert json.loads(result.text) == least(schema, schema)
