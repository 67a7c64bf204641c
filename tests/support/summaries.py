"""Texts, a model that writes what it is told, and what holds for every written summary."""

from __future__ import annotations

import random
from typing import Any

from llmaas_server.tasks.text import words

from .fake_runtime import FakeModel, FakeRuntime, fake_model
from .tasks import Outcome, run_task

NEWS = (
    "The river flood destroyed the old bridge in town. Nobody was hurt.\n\n"
    "Dr. Miller said the flood of the river closed the town for a week. "
    "Engineers will build the bridge again. It will cost 3.5 million. "
    "My aunt prefers green apples over yellow ones."
)
CHINESE = (
    "今天河水淹没了小镇。老桥被河水冲走了！没有人受伤吗？工程师说：“桥会重建。”小镇的人很高兴。"
)
DECODER = fake_model("decoder")
EMBEDDER = fake_model()
TRUE = "The river flood destroyed the old bridge in town. Engineers will build the bridge again."
FALSE = "The mayor of Boston resigned after 17 years. Her cat won the lottery in Paris."


def long_text(sentences: int, about: str = "the sea") -> str:
    draws = random.Random(sentences)
    topics = ("storms", "ships", "harbours", "sailors", "maps", "winds", "islands", "whales")
    return " ".join(
        f"Chapter {i} tells of {draws.choice(topics)} number {draws.randrange(10**6)} and {about}."
        for i in range(sentences)
    )


def check(outcome: Outcome, text: str | list[str]) -> None:
    """What holds for every summary."""
    documents = [text] if isinstance(text, str) else text
    summary = outcome.wire
    assert outcome.streamed == summary.summary
    assert summary.words == words.count(summary.summary)
    assert 0.0 < summary.coverage <= 1.0
    for sentence in summary.sentences:
        assert sentence.text in summary.summary
        for source in sentence.sources:
            assert 0 <= source.start < source.end <= len(documents[source.document])
        assert sentence.supported is None or sentence.supported == (not sentence.reasons)
    if summary.unsupported is not None:
        assert summary.unsupported == sum(not s.supported for s in summary.sentences)


async def write(
    text: str | list[str], model: FakeModel, runtime: FakeRuntime, **request: Any
) -> Outcome:
    outcome = await run_task("summarize", model, runtime, text=text, **request)
    check(outcome, text)
    assert runtime.running == 0
    return outcome


def saying(answer: str) -> FakeRuntime:
    return FakeRuntime(reply=lambda prompt: answer)


def tell(prompt: str) -> str:
    """Two sentences that say how much of a prompt was read."""
    return f"A part of {len(prompt)} characters. Another sentence. "


def prompts(runtime: FakeRuntime) -> list[str]:
    return [runtime.tokenizer.decode(generation.prompt) for generation in runtime.generations]


def codes(outcome: Outcome) -> list[str]:
    return [warning.code for warning in outcome.wire.warnings]
