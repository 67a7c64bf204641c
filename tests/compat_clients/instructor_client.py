"""`instructor`, as people use it. Run with a base URL; the key is in OPENAI_API_KEY."""

from __future__ import annotations

import sys

import instructor
from openai import AsyncOpenAI, OpenAI
from pydantic import BaseModel

URL, CHAT = sys.argv[1:3]


class City(BaseModel):
    """A city."""

    city: str


ask = {
    "model": CHAT,
    "messages": [{"role": "user", "content": "Name a city"}],
    "temperature": 0,
    "max_tokens": 100,
    "max_retries": 0,
}
for mode in (instructor.Mode.TOOLS, instructor.Mode.TOOLS_STRICT, instructor.Mode.JSON_SCHEMA):
    client = instructor.from_openai(OpenAI(base_url=URL), mode=mode)
    assert client.create(response_model=City, **ask).city, mode
    city, raw = client.create_with_completion(response_model=City, **ask)
    assert raw.usage.total_tokens > 0
client = instructor.from_openai(OpenAI(base_url=URL))
partial = list(client.create_partial(response_model=City, **ask))
assert partial[-1].city


async def once() -> None:
    async with AsyncOpenAI(base_url=URL) as connection:
        assert (await instructor.from_openai(connection).create(response_model=City, **ask)).city


import asyncio  # noqa: E402

asyncio.run(once())
