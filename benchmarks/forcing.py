"""The generate lane on a given path: its logits at every token of texts that were fixed before.

The lane runs as it serves: prompts in chunks, sequences batched in steps, greedy. A decoder around
the real one notes the logits and then makes the given token the likeliest, so every format is
compared on the same text and on the arithmetic that it is served with.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Tensor

from llmaas_server.runtime.decoding import Decoder
from llmaas_server.runtime.lane import Job
from llmaas_server.runtime.lanes.generate import GenerateLane
from llmaas_server.runtime.opening import Opening
from llmaas_server.runtime.request import Generation, Sampling
from llmaas_server.runtime.sequence import Chunk
from llmaas_server.seam.values import ModelRef, WorkerOptions

GREEDY = Sampling(temperature=0.0)
ABOVE_ALL = 1e4
"""Added to a logit, it wins."""


@dataclass(frozen=True, slots=True)
class Path:
    """A prompt, and the tokens that follow it; none where the model is to choose them."""

    prompt: tuple[int, ...]
    tokens: tuple[int, ...] = ()


class Noting:
    """A decoder that notes the logits of every token and leads the way along the paths."""

    def __init__(self, decoder: Decoder, paths: Sequence[Path]) -> None:
        self._decoder = decoder
        self._paths = paths
        self.noted: list[dict[int, Tensor]] = [{} for _ in paths]
        """For each path the logits of its tokens, by their place in it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._decoder, name)

    def logits(self, chunks: list[Chunk]) -> Tensor:
        logits = self._decoder.logits(chunks).clone()
        row = 0
        for chunk in chunks:
            path = self._paths[chunk.sequence.id]
            for index in chunk.wanted:
                place = index + 1 - len(path.prompt)
                self.noted[chunk.sequence.id][place] = logits[row].clone()
                if place < len(path.tokens):
                    logits[row, path.tokens[place]] += ABOVE_ALL
                row += 1
        return logits


@dataclass(frozen=True, slots=True)
class Walk:
    """What came of one path: the tokens, and the logits of each, [tokens, vocabulary]."""

    tokens: tuple[int, ...]
    logits: Tensor


class Walker:
    """A model in one format, its lane made anew for each set of paths."""

    def __init__(self, ref: ModelRef, options: WorkerOptions) -> None:
        torch.set_num_threads(options.threads or 1)
        self._options = options
        self.model, lane = Opening(options).open(ref, options, lambda share: None)
        if not isinstance(lane, GenerateLane):
            raise TypeError(f"{ref.name} is no chat model")
        self._decoder = lane.decoder

    @property
    def name(self) -> str:
        """What computes."""
        return self._decoder.name

    def walk(self, paths: Sequence[Path], most: int) -> list[Walk]:
        """Follow the paths; where one has no tokens, choose up to `most` up to the model's end."""
        noting = Noting(self._decoder, paths)
        lane = GenerateLane(cast(Decoder, noting), self.model.context, self._options)
        for number, path in enumerate(paths):
            stops = frozenset() if path.tokens else self.model.stop_ids
            generation = Generation(path.prompt, len(path.tokens) or most, GREEDY, stops)
            lane.submit(Job(number, generation, time.monotonic()))
        self._run(lane)
        return [_walk_of(path, noted) for path, noted in zip(paths, noting.noted, strict=True)]

    def _run(self, lane: GenerateLane) -> None:
        while lane.busy:
            for output in lane.step():
                if output.problem is not None:
                    raise output.problem


def _walk_of(path: Path, noted: dict[int, Tensor]) -> Walk:
    logits = torch.stack([noted[place] for place in range(len(noted))])
    return Walk(path.tokens or tuple(logits.argmax(dim=-1).tolist()), logits)
