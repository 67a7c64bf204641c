"""Texts to measure with: of the evaluation data where it is given, else made of words."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from llmaas_client.bench.prompts import MadeUp

SHORT_WORDS = 11
LONG_WORDS = 150
"""So many words of English are about 15 and 200 tokens of the embedding model."""


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines, compressed or not."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        for line in file:
            yield json.loads(line)


def short_texts(data: Path | None, count: int) -> list[str]:
    if data is None:
        return _made_up(SHORT_WORDS + 2, count)
    return _cut((row["text"] for row in read_rows(data / "mr" / "mr.jsonl.gz")), SHORT_WORDS, count)


def long_texts(data: Path | None, count: int) -> list[str]:
    if data is None:
        return _made_up(LONG_WORDS + 48, count)
    rows = read_rows(data / "bbc" / "bbc_topics.jsonl.gz")
    return _cut((row["text"] for row in rows), LONG_WORDS, count)


def _cut(texts: Iterator[str], words: int, count: int) -> list[str]:
    """The first `words` of texts that have at least so many."""
    long_enough = (found for text in texts if len(found := text.split()) >= words)
    return [" ".join(found[:words]) for found, _ in zip(long_enough, range(count), strict=False)]


def _made_up(words: int, count: int) -> list[str]:
    prompts = MadeUp(words, "texts")
    return [prompts.prompt(number)[-1]["content"] for number in range(count)]


def chat_prompts(data: Path, count: int) -> list[str]:
    """Questions of MT-Bench, then dialogues to summarize: two fifths and three."""
    questions = [row["turns"][0] for row in read_rows(data / "mt_bench" / "question.jsonl")]
    dialogues = read_rows(data / "dialogsum" / "dialogsum_test500.jsonl.gz")
    tasks = [f"Summarize this dialogue.\n\n{row['document']}" for row in dialogues]
    first = min(len(questions), 2 * count // 5)
    return questions[:first] + tasks[: count - first]
