"""What it costs an answer to follow a format: milliseconds a token, beside answers that are free.

In one process, without HTTP: the lane's steps alone. Answers are drawn, so that none of them is
guessed ahead, and the formats are such that none ends early.
"""

from __future__ import annotations

import random
import time
from functools import partial

import torch

from llmaas_client.wire.chat import JsonSchemaFormat, RegexFormat, ResponseFormat
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.loader import LoadedModel
from llmaas_server.runtime.opening import Opening
from llmaas_server.runtime.request import Generation, Sampling
from llmaas_server.tasks.answers.formats import grammar_of

from .figures import Figure, Samples, in_turns, publish
from .formats import ref, worker_options
from .options import CHAT_MODEL, Options, parse

STREAMS = (1, 16)
PROMPT, ANSWER = 64, 64
NAME = "grammar"
FREE = "free"
FORMATS: dict[str, ResponseFormat | None] = {
    FREE: None,
    "regex": RegexFormat(type="regex", pattern="[A-Za-z,.' ]{1000}"),
    "json_schema": JsonSchemaFormat.model_validate(
        {
            "type": "json_schema",
            "schema": {
                "type": "array",
                "minItems": ANSWER,
                "items": {
                    "type": "object",
                    "properties": {
                        "name": {"type": "string", "maxLength": 40},
                        "stars": {"type": "integer", "minimum": 1, "maximum": 5},
                        "mood": {"enum": ["good", "bad", None]},
                    },
                    "required": ["name", "stars", "mood"],
                    "additionalProperties": False,
                },
            },
        }
    ),
}


def measure(options: Options) -> list[Figure]:
    torch.set_num_threads(options.threads)
    settings = worker_options(options.quantizations[0], options.threads, options.kernels)
    model, lane = Opening(settings).open(ref(options.cache, CHAT_MODEL), settings, lambda _: None)
    if not (isinstance(model, LoadedModel) and isinstance(lane, GenerateLane)):
        raise TypeError(f"{CHAT_MODEL} is no chat model")
    answer = 8 if options.quick else ANSWER
    figures: list[Figure] = []
    for streams in options.clients or STREAMS:
        contestants = {name: partial(run, model, lane, name, streams) for name in FORMATS}
        for contestant in contestants.values():
            contestant(4)  # compiles the grammar
        figures += in_turns(contestants, lambda ask: ask(answer), options.rounds, FREE)
    return figures


def run(model: LoadedModel, lane: GenerateLane, name: str, streams: int, answer: int) -> Samples:
    """Milliseconds between tokens, once all prompts are computed."""
    wanted = FORMATS[name]
    for id in range(streams):
        prompt = tuple(random.choices(range(model.config.vocab_size), k=PROMPT))
        grammar = None if wanted is None else model.grammar(grammar_of(wanted))
        work = Generation(prompt, answer, Sampling(temperature=1.0, seed=id), grammar=grammar)
        lane.submit(Job(id, work, time.monotonic()))
    answering: set[int] = set()
    while len(answering) < streams:
        answering |= {output.job_id for output in lane.step()}
    begin, steps = time.perf_counter(), 0
    while lane.busy:
        lane.step()
        steps += 1
    return {f"{streams} at once: ms a token": 1000 * (time.perf_counter() - begin) / steps}


if __name__ == "__main__":
    chosen = parse(NAME, __doc__)
    publish(chosen, measure(chosen))
