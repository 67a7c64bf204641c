"""What a format costs: divergence from fp32 on 200 prompts, and answers to 500 questions of PIQA.

The reference is fp32 on the model's own weights; the text is what it says, greedy. Needs
--eval-data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from llmaas_server.runtime.engine import create

from .figures import Figure, note, publish
from .forcing import Path, Walk, Walker
from .formats import DEFAULT, FORMATS, REFERENCE, ref, worker_options
from .options import CHAT_MODEL, Options, parse
from .texts import chat_prompts, read_rows

PROMPTS = 200
TOKENS = 64
BATCH = 16
PIQA_ROWS = 500
NAME = "quality"


def measure(options: Options) -> list[Figure]:
    if options.eval_data is None:
        note("quality is left out: it needs --eval-data")
        return []
    return [*_divergences(options), *_piqa(options)]


@dataclass(frozen=True, slots=True)
class Divergence:
    """Of one format from the reference, summed over tokens."""

    tokens: int = 0
    kl: float = 0.0
    same: int = 0

    def plus(self, reference: Tensor, other: Tensor) -> Divergence:
        """With the tokens of one text; both [tokens, vocabulary]."""
        expected, found = reference.log_softmax(-1), other.log_softmax(-1)
        kl = (expected.exp() * (expected - found)).sum()
        same = (reference.argmax(-1) == other.argmax(-1)).sum()
        return Divergence(self.tokens + len(reference), self.kl + float(kl), self.same + int(same))


def _divergences(options: Options) -> Iterator[Figure]:
    """Of all formats side by side: the logits of a few texts at a time are kept."""
    assert options.eval_data is not None
    count, most = (4, 8) if options.quick else (PROMPTS, TOKENS)
    reference = _walker(options, REFERENCE)
    others = {name: _walker(options, name) for name in FORMATS if name != REFERENCE}
    sums = dict.fromkeys(others, Divergence())
    paths = [_path_of(reference, text) for text in chat_prompts(options.eval_data, count)]
    for first in range(0, len(paths), BATCH):
        some = paths[first : first + BATCH]
        expected = reference.walk(some, most)
        for name, walker in others.items():
            sums[name] = _compare(sums[name], walker, some, expected)
        note(f"{first + len(some)} of {len(paths)} prompts")
    for name, total in sums.items():
        of = f"llmaas {name} ({others[name].name})"
        what = f"{len(paths)} prompts, {total.tokens} tokens"
        yield Figure(f"{what}: mean KL to fp32", of, total.kl / total.tokens, 1)
        yield Figure(f"{what}: same first choice, %", of, 100 * total.same / total.tokens, 1)


def _compare(
    total: Divergence, walker: Walker, paths: Sequence[Path], expected: Sequence[Walk]
) -> Divergence:
    given = [Path(path.prompt, walk.tokens) for path, walk in zip(paths, expected, strict=True)]
    for mine, theirs in zip(expected, walker.walk(given, 0), strict=True):
        total = total.plus(mine.logits, theirs.logits)
    return total


def _walker(options: Options, name: str) -> Walker:
    note(f"loading {name}")
    settings = worker_options(name, options.threads, options.kernels)
    return Walker(ref(options.cache, CHAT_MODEL), settings)


def _path_of(walker: Walker, text: str) -> Path:
    return Path(tuple(walker.model.tokenizer.encode_chat([{"role": "user", "content": text}])))


@dataclass(frozen=True, slots=True)
class Question:
    prefix: list[int]
    options: list[list[int]]
    lengths: list[int]
    """Of the options, in characters: longer ones are less likely for no fault of theirs."""
    answer: int


def _piqa(options: Options) -> Iterator[Figure]:
    """Share of questions whose right answer is the likelier one, by length."""
    assert options.eval_data is not None
    rows = list(read_rows(options.eval_data / "mcq" / "piqa_val.jsonl.gz"))
    rows = rows[: 8 if options.quick else PIQA_ROWS]
    for name in (REFERENCE, DEFAULT):
        note(f"PIQA with {name}")
        right = asyncio.run(_right(options, name, rows))
        yield Figure(f"PIQA, {len(rows)} rows: right, %", f"llmaas {name}", 100 * right, 1)


async def _right(options: Options, name: str, rows: Sequence[dict[str, object]]) -> float:
    engine = create(worker_options(name, options.threads, options.kernels))
    try:
        model = await engine.load(ref(options.cache, CHAT_MODEL))

        def question_of(row: dict[str, object]) -> Question:
            choices = row["options"]
            assert isinstance(choices, list)
            prefix = model.tokenizer.encode(f"Question: {row['question']}\nAnswer:")
            ids = [model.tokenizer.encode(f" {text}", special=False) for text in choices]
            answer = row["answer"]
            assert isinstance(answer, int)
            return Question(prefix, ids, [len(text) for text in choices], answer)

        async def is_right(question: Question) -> bool:
            scores = await engine.score(model, question.prefix, question.options)
            by_length = [
                sum(score) / length for score, length in zip(scores, question.lengths, strict=True)
            ]
            return by_length.index(max(by_length)) == question.answer

        answers = await asyncio.gather(*(is_right(question_of(row)) for row in rows))
    finally:
        await asyncio.to_thread(engine.close)
    return sum(answers) / len(answers)


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
