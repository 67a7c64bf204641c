"""Extractive summaries by ROUGE, beside the first sentences of the same length and random ones.

Needs --eval-data, with the sets dialogsum, qmsum and scitldr, and the package rouge-score. Where a
document has several references the best one counts.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from llmaas_client.wire.summarize import SummarizeRequest
from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Model
from llmaas_server.seam.values import Result
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.summarize import TASK
from llmaas_server.tasks.text import words
from llmaas_server.tasks.text.sentences import split

from .figures import Figure, note, publish
from .formats import DEFAULT, ref, worker_options
from .options import EMBED_MODEL, Options, parse
from .texts import read_rows

NAME = "summaries"
RESAMPLES = 1000
RANDOM_DRAWS = 5
QUESTIONS = 3
"""Of each meeting: each reads it again."""


@dataclass(frozen=True, slots=True)
class Set:
    name: str
    documents: list[str]
    references: list[list[str]]
    shape: dict[str, Any]
    """Of the request."""
    sentences: int
    max_words: int | None
    focuses: list[str] | None = None
    """A question about each document, where the references answer one."""


def measure(options: Options) -> list[Figure]:
    if options.eval_data is None:
        note("summaries are left out: they need --eval-data")
        return []
    return asyncio.run(_measure(options, options.eval_data))


async def _measure(options: Options, data: Path) -> list[Figure]:
    figures: list[Figure] = []
    engine = create(worker_options(DEFAULT, options.threads, options.kernels))
    try:
        model = await engine.load(ref(options.cache, EMBED_MODEL))
        for one in _sets(data, 20 if options.quick else None):
            note(f"{one.name}: {len(one.documents)} documents")
            plain = [await _summary(engine, model, text, one.shape) for text in one.documents]
            if one.focuses is None:
                figures += _figures(one, plain)
                continue
            asked = [
                await _summary(engine, model, text, {**one.shape, "focus": focus})
                for text, focus in zip(one.documents, one.focuses, strict=True)
            ]
            figures += _figures(one, asked, {"llmaas without the question": plain})
    finally:
        await asyncio.to_thread(engine.close)
    return figures


async def _summary(engine: Engine, model: Model, text: str, shape: dict[str, Any]) -> str:
    request = SummarizeRequest(text=text, method="extractive", **shape)
    prompt = TASK.prompt(request, model, None)
    async for event in TASK.run(prompt, model, engine, Caller(tenant="benchmark")):
        if isinstance(event, Result):
            return "\n".join(sentence["text"] for sentence in event.body["sentences"])
    raise RuntimeError("a summary ended without a result")


def _figures(
    one: Set, ours: Sequence[str], others: Mapping[str, Sequence[str]] | None = None
) -> Iterator[Figure]:
    found = {
        "llmaas": _scores(one, ours),
        "the first sentences": _scores(one, [_lead(text, one) for text in one.documents]),
        "random sentences": np.mean(
            [
                _scores(one, [_random(text, one, draw) for text in one.documents])
                for draw in range(RANDOM_DRAWS)
            ],
            axis=0,
        ),
        **{name: _scores(one, summaries) for name, summaries in (others or {}).items()},
    }
    for name, scores in found.items():
        yield Figure(f"{one.name}: ROUGE-1 F", name, 100 * float(scores[:, 0].mean()), 1)
        yield Figure(f"{one.name}: ROUGE-Lsum F", name, 100 * float(scores[:, 1].mean()), 1)
        if name != "llmaas":
            low, high = _interval(found["llmaas"][:, 0] - scores[:, 0])
            note(f"{one.name}: ours - {name}, ROUGE-1, 95 %: {100 * low:.2f} to {100 * high:.2f}")
            yield Figure(f"{one.name}: ours ahead by at least, ROUGE-1", name, 100 * low, 1)


def _scores(one: Set, summaries: Sequence[str]) -> np.ndarray[Any, np.dtype[np.float64]]:
    """ROUGE-1 and ROUGE-Lsum, [documents, 2]."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rouge1", "rougeLsum"], use_stemmer=True)
    rows = []
    for summary, references in zip(summaries, one.references, strict=True):
        scores = [scorer.score(reference, summary) for reference in references]
        rows.append([max(s[kind].fmeasure for s in scores) for kind in ("rouge1", "rougeLsum")])
    return np.array(rows)


def _interval(differences: np.ndarray[Any, np.dtype[np.float64]]) -> tuple[float, float]:
    """Of the mean difference, 95 %, by paired bootstrap over the documents."""
    draws = np.random.default_rng(0)
    size = len(differences)
    means = [differences[draws.integers(0, size, size)].mean() for _ in range(RESAMPLES)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _lead(text: str, one: Set) -> str:
    return _pick(text, one, lambda count: range(count), skip=False)


def _random(text: str, one: Set, draw: int) -> str:
    chance = random.Random(f"{draw} {len(text)}")
    return _pick(text, one, lambda count: chance.sample(range(count), count), skip=True)


def _pick(text: str, one: Set, order: Callable[[int], Sequence[int]], *, skip: bool) -> str:
    """Sentences in this order while they fit: as many, and as many words, as ours may have."""
    sentences = [text[span.start : span.end].strip() for span in split(text)]
    sentences = [sentence for sentence in sentences if sentence]
    chosen: list[int] = []
    left = one.max_words or words.count(text)
    for index in order(len(sentences)):
        cost = words.count(sentences[index])
        if len(chosen) == one.sentences or (cost > left and not skip):
            break
        if cost <= left:
            chosen.append(index)
            left -= cost
    return "\n".join(sentences[index] for index in sorted(chosen))


def _sets(data: Path, most: int | None) -> Iterator[Set]:
    def rows(name: str) -> list[dict[str, Any]]:
        return list(read_rows(data / name))[:most]

    dialogues = rows("dialogsum/dialogsum_test500.jsonl.gz")
    meetings = rows("qmsum/qmsum_val_test70.jsonl.gz")
    abstracts = rows("scitldr/scitldr_a_test.jsonl.gz")
    yield _set("dialogues, 2 sentences", dialogues, {"length": "short"}, 2, None)
    yield _set("abstracts, 2 sentences", abstracts, {"length": "short"}, 2, None)
    answers = [[part["answer"] for part in row["general"]] for row in meetings]
    shape = {"length": "long", "max_words": 110}
    yield Set("meetings, 110 words", [row["document"] for row in meetings], answers, shape, 8, 110)
    asked = [(row["document"], part) for row in meetings for part in row["specific"][:QUESTIONS]]
    yield Set(
        "questions about meetings, 80 words",
        [document for document, _ in asked],
        [[part["answer"]] for _, part in asked],
        {"length": "long", "max_words": 80},
        8,
        80,
        [part["query"] for _, part in asked],
    )


def _set(
    name: str, rows: list[dict[str, Any]], shape: dict[str, Any], most: int, max_words: int | None
) -> Set:
    documents = [row["document"] for row in rows]
    return Set(name, documents, [row["references"] for row in rows], shape, most, max_words)


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
