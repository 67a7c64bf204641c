"""Sanity of the tasks on the embedded models."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path
from typing import Any

import pytest

from llmaas_server.runtime.engine import Engine
from llmaas_server.seam.values import ModelRef
from support.tasks import Outcome, run_task

pytestmark = pytest.mark.real_models

TOPICS = {
    "sports": [
        "The striker scored twice and the team won the final.",
        "She broke the world record in the 200 metres.",
        "The coach blamed the referee for the lost match.",
    ],
    "politics": [
        "Parliament voted on the new law after a long debate.",
        "The president will meet the prime minister next week.",
        "Voters elected a new mayor on Sunday.",
    ],
    "cooking": [
        "Simmer the onions in butter, then add the flour.",
        "Bake the bread for forty minutes at 220 degrees.",
        "This soup needs more garlic and a little salt.",
    ],
    "computers": [
        "The processor has eight cores and a larger cache.",
        "A bug in the software deleted the files on my laptop.",
        "Install the driver and restart the operating system.",
    ],
}
TEXTS = [(text, topic) for topic, texts in TOPICS.items() for text in texts]

STORY = (
    "The village of Marsden lost its only bridge on Tuesday night when the river rose after three "
    "days of rain. Nobody was hurt, because the police had closed the road an hour earlier. "
    "Engineers say that a new bridge will cost 3.5 million pounds and take a year to build. Until "
    "then, children must travel forty minutes by bus to reach their school. Mrs. Hall, who has "
    "lived beside the river since 1962, had never seen the water so high. She makes jam. The "
    "council will discuss a temporary crossing on Friday."
)


async def run(engine: Engine, ref: ModelRef, task: str, **request: Any) -> Outcome:
    return await run_task(task, await engine.load(ref), engine, **request)


async def test_obvious_topics(engine: Engine, embedding_ref: ModelRef) -> None:
    texts = [text for text, _ in TEXTS]
    outcome = await run(engine, embedding_ref, "classify", text=texts, labels=list(TOPICS))
    found = [result.label for result in outcome.wire.results]
    assert found == [topic for _, topic in TEXTS]


async def test_topics_alone(engine: Engine, embedding_ref: ModelRef) -> None:
    text = "The parliament debated the budget of the national football team."
    outcome = await run(
        engine, embedding_ref, "classify", text=text, labels=list(TOPICS), multi=True
    )
    assert outcome.wire.scores["politics"] > outcome.wire.scores["cooking"]
    assert outcome.wire.scores["sports"] > outcome.wire.scores["cooking"]
    assert "cooking" not in outcome.wire.results[0].labels


async def test_a_thousand_labels(engine: Engine, embedding_ref: ModelRef) -> None:
    labels = [f"item number {i}" for i in range(999)] + ["football"]
    outcome = await run(
        engine, embedding_ref, "classify", text="The goalkeeper saved a penalty.", labels=labels
    )
    assert outcome.wire.label == "football"
    assert len(outcome.wire.scores) == 1000


async def test_an_extractive_summary(engine: Engine, embedding_ref: ModelRef) -> None:
    outcome = await run(engine, embedding_ref, "summarize", text=STORY, max_words=60)
    summary = outcome.wire
    assert summary.coverage == 1.0
    assert 0 < summary.words <= 60
    assert "bridge" in summary.summary
    assert "jam" not in summary.summary
    for sentence in summary.sentences:
        (span,) = sentence.sources
        assert STORY[span.start : span.end] == sentence.text


async def test_a_written_summary(engine: Engine, chat_ref: ModelRef) -> None:
    outcome = await run(engine, chat_ref, "summarize", text=STORY, length="short", max_words=50)
    summary = outcome.wire
    assert summary.method == "abstractive"
    assert summary.coverage == 1.0
    assert 5 < summary.words <= 50
    assert "bridge" in summary.summary.lower()


async def test_label_scoring(engine: Engine, chat_ref: ModelRef) -> None:
    texts = [text for text, topic in TEXTS if topic in ("sports", "cooking")]
    outcome = await run(engine, chat_ref, "classify", text=texts, labels=["sports", "cooking"])
    right = sum(
        result.label == topic
        for result, topic in zip(
            outcome.wire.results, ["sports"] * 3 + ["cooking"] * 3, strict=True
        )
    )
    assert outcome.wire.method == "label_scoring"
    assert right >= 5


async def test_chat_knows_a_capital(engine: Engine, chat_ref: ModelRef) -> None:
    outcome = await run(
        engine,
        chat_ref,
        "chat",
        messages=[{"role": "user", "content": "What is the capital of France?"}],
        temperature=0.0,
        stop=["."],
        max_tokens=30,
    )
    assert outcome.wire.text == "The capital of France is Paris"
    assert outcome.wire.finish_reason == "stop"


async def test_movie_reviews(engine: Engine, embedding_ref: ModelRef) -> None:
    data = os.environ.get("LLMAAS_EVAL_DATA")
    if not data:
        pytest.skip("LLMAAS_EVAL_DATA names no folder with evaluation data")
    with gzip.open(Path(data) / "mr" / "mr.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    chosen = [row for label in ("negative", "positive") for row in _some(rows, label)]
    outcome = await run(
        engine,
        embedding_ref,
        "classify",
        text=[row["text"] for row in chosen],
        labels={
            "negative": "negative feeling, it was terrible",
            "positive": "positive feeling, it was great",
        },
    )
    found = [result.label for result in outcome.wire.results]
    right = sum(label == row["label"] for label, row in zip(found, chosen, strict=True))
    print(f"movie reviews: {right} of {len(chosen)} right")
    # The model reaches 0.70 on the whole set; half of it is chance.
    assert right / len(chosen) > 0.62
    assert 0.3 < found.count("positive") / len(found) < 0.7


def _some(rows: list[dict[str, str]], label: str) -> list[dict[str, str]]:
    return [row for row in rows if row["label"] == label][:500:5]
