"""`pydantic-ai`, as people use it. Run with a base URL; the key is in OPENAI_API_KEY."""

from __future__ import annotations

import asyncio
import sys

from pydantic import BaseModel
from pydantic_ai import Agent, NativeOutput, ToolOutput
from pydantic_ai.models.openai import OpenAIChatModel, OpenAIResponsesModel
from pydantic_ai.providers.openai import OpenAIProvider

URL, CHAT = sys.argv[1:3]
provider = OpenAIProvider(base_url=URL)
settings = {"temperature": 0, "max_tokens": 100}


class City(BaseModel):
    """A city."""

    city: str


async def use(model) -> None:
    plain = Agent(model, instructions="Be short.", model_settings=settings)
    run = await plain.run("one two three")
    assert run.output
    assert run.usage.output_tokens > 0
    again = await plain.run("four", message_history=run.all_messages())
    assert again.output
    async with plain.run_stream("one two three") as stream:
        assert "".join([piece async for piece in stream.stream_text(delta=True)])
    for wanted in (NativeOutput(City), ToolOutput(City)):
        agent = Agent(model, output_type=wanted, model_settings=settings)
        assert isinstance((await agent.run("Name a city")).output, City)
    asked: list[str] = []
    agent = Agent(model, model_settings=settings)

    @agent.tool_plain
    def weather(city: str) -> str:
        """Look up the weather."""
        asked.append(city)
        return "rain"

    run = await agent.run("Call the tool weather for Paris")
    assert run.output
    if "--fake" in sys.argv:
        assert asked


async def main() -> None:
    await use(OpenAIChatModel(CHAT, provider=provider))
    await use(OpenAIResponsesModel(CHAT, provider=provider))


asyncio.run(main())
