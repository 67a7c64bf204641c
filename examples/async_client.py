"""Many texts at once: the server batches requests that are in flight together."""

import asyncio

from llmaas_client import AsyncClient

TEXTS = ["The screen is cracked.", "Works like a charm.", "Does it come in blue?"]


async def main() -> None:
    labels = ["complaint", "praise", "question"]
    async with AsyncClient() as client:
        answers = await asyncio.gather(
            *(client.classify(text, labels=labels) for text in TEXTS),
        )
        for text, answer in zip(TEXTS, answers, strict=True):
            print(f"{answer.label}: {text}")
        async with client.chat.stream("Say hello.", max_tokens=20) as stream:
            async for piece in stream:
                print(piece, end="", flush=True)
    print()


if __name__ == "__main__":
    asyncio.run(main())
