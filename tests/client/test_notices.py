"""Warnings of results: in every result, and told once."""

from __future__ import annotations

import asyncio
import json
import warnings
from typing import Any

import httpx
import pytest
import respx

from llmaas_client import AsyncClient, Client, LLMaaSWarning
from llmaas_client.wire.base import ResultWarning

URL = "http://127.0.0.1:8000"
UNREAD = {"code": "unread_text", "message": "mini cannot read text"}


def result(*told: dict[str, str], model: str = "mini") -> dict[str, Any]:
    return {
        "id": "call_1",
        "model": model,
        "usage": {},
        "timing": {},
        "embeddings": [[1.0]],
        "warnings": told,
    }


def answers(mock: respx.MockRouter, *bodies: dict[str, Any]) -> None:
    replies = [httpx.Response(200, json=body) for body in bodies]
    mock.post(f"{URL}/v1/tasks/embed").mock(side_effect=replies)


@respx.mock
def test_a_result_keeps_its_warnings(respx_mock: respx.MockRouter) -> None:
    answers(respx_mock, result(UNREAD), result(UNREAD))
    with Client(URL, on_warning=lambda warning: None) as client:
        for _ in range(2):
            assert client.embed("你好").warnings == [ResultWarning(**UNREAD)]


@respx.mock
def test_older_servers_say_nothing(respx_mock: respx.MockRouter) -> None:
    body = result()
    del body["warnings"]
    answers(respx_mock, body)
    with Client(URL) as client:
        assert client.embed("a").warnings == []


@respx.mock
def test_each_is_told_once_for_each_model(respx_mock: respx.MockRouter) -> None:
    other = {"code": "other", "message": "something else"}
    answers(
        respx_mock,
        result(UNREAD),
        result(UNREAD, other),
        result(UNREAD, other),
        result(UNREAD, model="maxi"),
        result(),
    )
    told: list[ResultWarning] = []
    with Client(URL, on_warning=told.append) as client:
        for _ in range(5):
            client.embed("你好")
    assert [warning.code for warning in told] == ["unread_text", "other", "unread_text"]


@respx.mock
def test_python_warns_of_the_line_that_called(respx_mock: respx.MockRouter) -> None:
    answers(respx_mock, result(UNREAD), result(UNREAD))
    with Client(URL) as client:
        with pytest.warns(LLMaaSWarning, match="mini cannot read text") as caught:
            client.embed("你好")
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            client.embed("你好")
    assert [warning.filename for warning in caught] == [__file__]


@respx.mock
def test_python_warns_of_the_line_that_awaited(respx_mock: respx.MockRouter) -> None:
    answers(respx_mock, result(UNREAD))

    async def main() -> None:
        async with AsyncClient(URL) as client:
            await client.embed("你好")

    with pytest.warns(LLMaaSWarning) as caught:
        asyncio.run(main())
    assert [warning.filename for warning in caught] == [__file__]


@respx.mock
def test_streams_tell_at_their_end(respx_mock: respx.MockRouter) -> None:
    summary = {"summary": "x", "sentences": [], "coverage": 1.0, "method": "extractive", "words": 1}
    body = json.dumps(result(UNREAD) | summary)
    events = (
        'event: start\ndata: {"id": "call_1", "model": "mini", "prompt_tokens": 1}\n\n'
        f"event: done\ndata: {body}\n\n"
    )
    respx_mock.post(f"{URL}/v1/tasks/summarize").respond(
        200, content=events.encode(), headers={"content-type": "text/event-stream"}
    )
    told: list[ResultWarning] = []
    with (
        Client(URL, on_warning=told.append) as client,
        client.summarize.stream("你好") as stream,
    ):
        assert not told
        stream.finish()
    assert [warning.code for warning in told] == ["unread_text"]
    assert stream.result.warnings == told
