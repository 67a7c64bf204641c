"""Support of true sentences against that of sentences of other documents, and of swapped numbers.

Needs --eval-data, with the sets dialogsum, scitldr and qmsum. True are the sentences of summaries
that people wrote of a document, and its own sentences, where they have numbers. The constants were
chosen on dialogsum.
"""

from __future__ import annotations

import asyncio
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from llmaas_server.runtime.engine import Engine, create
from llmaas_server.runtime.interface import Floats, Model
from llmaas_server.tasks.base import Caller
from llmaas_server.tasks.grounding.evidence import Grounds
from llmaas_server.tasks.grounding.judgement import Grounded, judge
from llmaas_server.tasks.meter import Meter
from llmaas_server.tasks.text.sentences import split
from llmaas_server.tasks.text.sources import sentences_of
from llmaas_server.tasks.text.windows import read
from llmaas_server.tasks.vectors import embed_all

from .figures import Figure, note, publish
from .formats import DEFAULT, ref, worker_options
from .options import EMBED_MODEL, Options, parse
from .texts import read_rows

NAME = "grounding"
PER_DOCUMENT = 12
"""Most sentences of each kind of one document."""


@dataclass(frozen=True, slots=True)
class Set:
    name: str
    documents: list[str]
    summaries: list[list[str]]
    """Sentences of what people wrote about each document."""


@dataclass(slots=True)
class Found:
    """What was judged of true sentences and of the false ones beside them."""

    own: list[Grounded] = field(default_factory=list)
    other: list[Grounded] = field(default_factory=list)
    """Sentences of summaries of other documents."""
    stated: list[Grounded] = field(default_factory=list)
    """Those of the own sentences whose numbers all stand in the document."""
    swapped: list[Grounded] = field(default_factory=list)
    """The same with other numbers."""
    quoted: list[Grounded] = field(default_factory=list)
    """Sentences of the document that have numbers."""
    misquoted: list[Grounded] = field(default_factory=list)
    """The same with other numbers."""

    @property
    def pairs(self) -> dict[str, tuple[list[Grounded], list[Grounded]]]:
        return {
            "sentences of other documents": (self.own, self.other),
            "swapped numbers": (self.stated, self.swapped),
            "quotes with swapped numbers": (self.quoted, self.misquoted),
        }


def measure(options: Options) -> list[Figure]:
    if options.eval_data is None:
        note("grounding is left out: it needs --eval-data")
        return []
    return asyncio.run(_measure(options, options.eval_data))


async def _measure(options: Options, data: Path) -> list[Figure]:
    figures: list[Figure] = []
    engine = create(worker_options(DEFAULT, options.threads, options.kernels))
    try:
        model = await engine.load(ref(options.cache, EMBED_MODEL))
        for one in sets(data, 10 if options.quick else None):
            found = await judged(one, engine, model)
            for kind, (true, false) in found.pairs.items():
                note(f"{one.name}, {kind}: {len(true)} true sentences, {len(false)} false ones")
                figures += _figures(f"{one.name}, {kind}", true, false)
    finally:
        await asyncio.to_thread(engine.close)
    return figures


def _figures(name: str, true: list[Grounded], false: list[Grounded]) -> Iterator[Figure]:
    yield Figure(f"{name}: AUROC", "support", auroc(true, false), 1)
    for kind, of in (("true", true), ("false", false)):
        share = 100 * float(np.mean([one.supported for one in of]))
        yield Figure(f"{name}: {kind} ones supported, %", "support", share, 1)


def auroc(true: Sequence[Grounded], false: Sequence[Grounded]) -> float:
    """How often a true sentence has more support than a false one; ties count half."""
    high = np.array([one.support for one in true])[:, None]
    low = np.array([one.support for one in false])[None, :]
    return float(((high > low) + 0.5 * (high == low)).mean())


async def judged(one: Set, engine: Engine, model: Model) -> Found:
    found = Found()
    dice = random.Random(0)
    for index, document in enumerate(one.documents):
        sources = sentences_of((document,))
        texts = [source.text((document,)).strip() for source in sources]
        grounds = Grounds((document,), sources, await _embed(texts, engine, model))
        elsewhere = (index + dice.randrange(1, len(one.documents))) % len(one.documents)
        own = one.summaries[index][:PER_DOCUMENT]
        stated = [text for text in own if _numbers_stand_in(text, document)]
        quoted = list(islice(filter(has_number, texts), PER_DOCUMENT))
        claims = {
            "own": own,
            "other": one.summaries[elsewhere][:PER_DOCUMENT],
            "stated": stated,
            "swapped": [swap(text, dice) for text in stated],
            "quoted": quoted,
            "misquoted": [swap(text, dice) for text in quoted],
        }
        for kind, sentences in claims.items():
            if sentences:
                vectors = await _embed(sentences, engine, model)
                getattr(found, kind).extend(judge(sentences, vectors, grounds))
    return found


async def _embed(texts: Sequence[str], engine: Engine, model: Model) -> Floats:
    windows = read(texts, model.tokenizer, model.context)
    caller = Caller(tenant="benchmark")
    return windows.pool(await embed_all(windows.sequences, model, engine, caller, Meter()))


# --- numbers ------------------------------------------------------------------------------------

_WORDS = "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty"
_NUMBER = re.compile(rf"(?<![\w#.,])\d+|\b(?:{'|'.join(_WORDS.split())})\b", re.IGNORECASE)


def has_number(sentence: str) -> bool:
    return _NUMBER.search(sentence) is not None


def _numbers_stand_in(sentence: str, document: str) -> bool:
    """As they are written: no reading of numbers is asked whether a sentence is true."""
    found = _NUMBER.findall(sentence)
    return bool(found) and all(
        re.search(rf"(?<!\w){number}(?!\w)", document, re.IGNORECASE) for number in found
    )


def swap(sentence: str, dice: random.Random) -> str:
    """The sentence with another number of the same length, or another word, for each number."""

    def other(match: re.Match[str]) -> str:
        old = match.group()
        while True:
            new = (
                str(dice.randrange(10 ** (len(old) - 1), 10 ** len(old)))
                if old.isdigit()
                else dice.choice(_WORDS.split())
            )
            if new != old.lower():
                return new.capitalize() if old[0].isupper() else new

    return _NUMBER.sub(other, sentence)


# --- sets ---------------------------------------------------------------------------------------


def sets(data: Path, most: int | None = None) -> Iterator[Set]:
    def rows(name: str) -> list[dict[str, Any]]:
        return list(read_rows(data / name))[:most]

    for name, path in (
        ("dialogues", "dialogsum/dialogsum_test500.jsonl.gz"),
        ("abstracts", "scitldr/scitldr_a_test.jsonl.gz"),
    ):
        found = rows(path)
        yield Set(
            name,
            [row["document"] for row in found],
            [_sentences(row["references"]) for row in found],
        )
    meetings = rows("qmsum/qmsum_val_test70.jsonl.gz")
    answers = [[part["answer"] for part in row["general"] + row["specific"]] for row in meetings]
    yield Set("meetings", [row["document"] for row in meetings], [_sentences(a) for a in answers])


def _sentences(texts: Sequence[str]) -> list[str]:
    return [text[span.start : span.end].strip() for text in texts for span in split(text)]


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
