"""What guessing several tokens at a time brings: answers that copy, and answers that do not.

The same greedy answers, with guesses and without, one after the other on the lane itself. They are
the same token for token, or the benchmark fails. Needs --eval-data.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from pathlib import Path

import torch

from llmaas_server.runtime import scheduler
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.opening import Opening
from llmaas_server.runtime.request import Generation, Sampling, Token

from .figures import Figure, Samples, in_turns, note, publish
from .formats import ref, worker_options
from .options import CHAT_MODEL, Options, parse
from .texts import chat_prompts, read_rows

NAME = "guesses"
PROMPTS = 8
TOKENS = 96
CHARACTERS = 700
GUESSES = "llmaas with guesses"
PLAIN = "llmaas without"

Prompt = tuple[int, ...]


def measure(options: Options) -> list[Figure]:
    if options.eval_data is None:
        note("guesses are left out: they need --eval-data")
        return []
    settings = worker_options(options.quantizations[0], options.threads, options.kernels)
    torch.set_num_threads(options.threads)
    opening = Opening(settings)
    model, lane = opening.open(ref(options.cache, CHAT_MODEL), settings, lambda share: None)
    if not isinstance(lane, GenerateLane):
        raise TypeError(f"{CHAT_MODEL} is no model that chats")
    count, tokens = (2, 16) if options.quick else (PROMPTS, TOKENS)

    def ids(text: str) -> Prompt:
        return tuple(model.tokenizer.encode_chat([{"role": "user", "content": text}]))

    kinds = {
        "answers that copy": [ids(text) for text in _copying(options.eval_data, count)],
        "other answers": [ids(text) for text in chat_prompts(options.eval_data, 5 * count)[:count]],
    }
    said: dict[str, list[list[int]]] = {}

    def measured(rows: int) -> Samples:
        found: dict[str, float] = {}
        most = scheduler.VERIFIED
        scheduler.VERIFIED = rows
        try:
            for kind, prompts in kinds.items():
                answers, seconds = _answers(lane, prompts, tokens)
                if said.setdefault(kind, answers) != answers:
                    raise RuntimeError(f"{kind}: guesses changed the text")
                found[f"{kind}: tokens/s, one at a time"] = len(prompts) * tokens / seconds
        finally:
            scheduler.VERIFIED = most
        return found

    contestants = {GUESSES: scheduler.VERIFIED, PLAIN: 0}
    return in_turns(contestants, measured, options.rounds, GUESSES)


def _copying(data: Path, count: int) -> list[str]:
    rows = read_rows(data / "dialogsum" / "dialogsum_test500.jsonl.gz")
    documents = [row["document"][:CHARACTERS] for row, _ in zip(rows, range(count), strict=False)]
    return [f"Repeat the following text word for word.\n\n{text}" for text in documents]


def _answers(
    lane: GenerateLane, prompts: Sequence[Prompt], tokens: int
) -> tuple[list[list[int]], float]:
    """What is said after each prompt, and the seconds that all took, prompts left out."""
    tenant = secrets.token_hex(4)  # nothing comes from the cache
    answers: list[list[int]] = []
    seconds = 0.0
    for number, prompt in enumerate(prompts):
        work = Generation(prompt, tokens, Sampling(temperature=0.0), tenant=tenant)
        lane.submit(Job(number, work, time.monotonic(), tenant=tenant))
        said: list[int] = []
        began = 0.0
        while lane.busy:
            for output in lane.step():
                if output.problem is not None:
                    raise output.problem
                began = began or time.perf_counter()
                said += [item.id for item in output.items if isinstance(item, Token)]
        seconds += time.perf_counter() - began
        answers.append(said)
    return answers, seconds


if __name__ == "__main__":
    torch.set_grad_enabled(False)
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
