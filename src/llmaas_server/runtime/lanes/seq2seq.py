"""The seq2seq lane: several sequences of an encoder-decoder at the same time, each by itself.

A step either begins sequences (encodes their sources, and draws their first tokens) or draws one
more token for each of some that run. The two take turns, so that neither holds up the other.
What a model's generation config asks for beyond that: see `runtime.constraints`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.constraints import Constraint, constraints_of
from llmaas_server.runtime.device import torch_name
from llmaas_server.runtime.draw import Draw
from llmaas_server.runtime.faults import blamed
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.loader import LoadedModel
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.request import Finish, Finished, Generation, Token
from llmaas_server.runtime.sampler import sample
from llmaas_server.runtime.seq2seq import Decoding, EncoderDecoder
from llmaas_server.runtime.sequence import GenerateSequence
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import WorkerOptions

_WIDTH = 8
"""Sequences that draw a token in one step: each is a forward pass of its own."""


@dataclass(slots=True)
class Waiting:
    """A sequence that has not begun, and the memory that it will need."""

    sequence: GenerateSequence
    bytes: int


@dataclass(slots=True)
class Running:
    """A sequence that has begun."""

    sequence: GenerateSequence
    bytes: int
    decoding: Decoding
    constraints: list[Constraint]
    ids: list[int] = field(default_factory=list)
    """What the decoder has read: its start token, and what was generated."""


class Seq2SeqLane:
    """Runs jobs of `Generation` whose prompt is the source.

    Raises Problem `model_cannot_do_task` where the model's family cannot run so.
    """

    def __init__(self, model: LoadedModel, options: WorkerOptions) -> None:
        self._model = model
        self._decoder = EncoderDecoder(model)
        self._options = options
        self._forces_end = model.module.generation_config.forced_eos_token_id is not None
        self._waiting: dict[int, Waiting] = {}
        self._running: dict[int, Running] = {}
        """By job; those that drew a token longest ago first."""
        self._held = 0
        """Bytes of keys and values that the running sequences may come to."""
        self.meter = Meter()
        self._loads: dict[int, int] = {}
        self._has_begun = False
        """Whether the last step began sequences."""

    @property
    def busy(self) -> bool:
        return bool(self._waiting or self._running)

    @property
    def kernels(self) -> str:
        return torch_name(self._model.dtype)

    @property
    def weight_bytes(self) -> int:
        return self._model.bytes

    @property
    def loads(self) -> Mapping[int, int]:
        return self._loads

    @property
    def state(self) -> LaneState:
        return LaneState(
            len(self._running),
            len(self._waiting),
            kv_used_bytes=self._held,
            kv_limit_bytes=self._options.kv_bytes,
        )

    def submit(self, job: Job) -> None:
        """Raises Problem `context_overflow`, and `out_of_memory` where the sequence alone needs
        more than the budget of keys and values."""
        work: Generation = job.work
        if len(work.prompt) > self._model.context:
            raise context_overflow(len(work.prompt), self._model.context, "the source")
        if work.max_tokens > self._model.max_completion:
            raise context_overflow(work.max_tokens, self._model.max_completion, "the answer")
        size = self._decoder.bytes_of(len(work.prompt), work.max_tokens)
        if size > self._options.kv_bytes:
            raise Problem(
                "out_of_memory",
                f"the request needs keys and values of {size} bytes, and the budget is "
                f"{self._options.kv_bytes}",
                hint="Send a shorter text, or raise kv_bytes on the server.",
            )
        seed = secrets.randbits(63) if work.sampling.seed is None else work.sampling.seed
        sequence = GenerateSequence(job.id, work, seed, job.submitted)
        self._waiting[job.id] = Waiting(sequence, size)

    def abort(self, job_id: int) -> None:
        self._waiting.pop(job_id, None)
        if running := self._running.pop(job_id, None):
            self._held -= running.bytes

    def step(self) -> list[Output]:
        begins = self._can_begin() and not (self._has_begun and self._running)
        self._has_begun = begins
        self._loads = {}
        outputs = self._begin() if begins else self._advance(list(self._running.values())[:_WIDTH])
        self.meter.batch = len(self._loads)
        for output in outputs:
            if output.done:
                self.abort(output.job_id)
            else:
                self._running[output.job_id] = self._running.pop(output.job_id)  # to the end
        return outputs

    def check(self) -> None:
        held = sum(running.bytes for running in self._running.values())
        assert held == self._held, "bytes are held that no sequence has"
        assert held <= self._options.kv_bytes, "the running sequences exceed the budget"
        assert not self._waiting.keys() & self._running.keys(), "a job waits and runs"

    def _can_begin(self) -> bool:
        if not self._waiting or len(self._running) >= self._options.max_sequences:
            return False
        return self._held + next(iter(self._waiting.values())).bytes <= self._options.kv_bytes

    def _begin(self) -> list[Output]:
        """Encode the sources of the next sequences: one, or as many as a step has tokens for."""
        begun: list[Running] = []
        failed: list[Output] = []
        room = self._options.max_step_tokens
        while self._can_begin():
            id, waiting = next(iter(self._waiting.items()))
            room -= len(waiting.sequence.generation.prompt)
            if begun and room < 0:
                break
            del self._waiting[id]
            self._loads[id] = len(waiting.sequence.generation.prompt)
            self.meter.prefill_tokens += self._loads[id]
            try:
                running = self._running[id] = self._encode(waiting)
            except Problem as problem:
                failed.append(Output(id, done=True, problem=problem))
            else:
                self._held += running.bytes
                begun.append(running)
        return failed + self._advance(begun)

    def _encode(self, waiting: Waiting) -> Running:
        sequence = waiting.sequence
        sequence.admitted = time.monotonic()
        constraints = constraints_of(
            self._model.module.generation_config,
            sequence.generation.max_tokens,
            self._model.device,
        )
        with blamed():
            decoding = self._decoder.encode(sequence.generation.prompt)
        return Running(sequence, waiting.bytes, decoding, constraints, [self._decoder.start_id])

    def _advance(self, chosen: Sequence[Running]) -> list[Output]:
        """One more token for each."""
        rows: list[Tensor] = []
        drawing: list[Running] = []
        failed: list[Output] = []
        for running in chosen:
            id = running.sequence.id
            self._loads[id] = self._loads.get(id, 0) + 1
            self.meter.decode_tokens += 1
            try:
                rows.append(self._logits(running))
            except Problem as problem:
                failed.append(Output(running.sequence.id, done=True, problem=problem))
            else:
                drawing.append(running)
        if not drawing:
            return failed
        tokens = sample(torch.cat(rows), [_draw_of(running) for running in drawing])
        now = time.monotonic()
        drawn = [self._append(r, token, now) for r, token in zip(drawing, tokens, strict=True)]
        return failed + drawn

    @torch.inference_mode()
    def _logits(self, running: Running) -> Tensor:
        """[1, vocabulary], after what the model's generation config demands."""
        with blamed():
            logits = self._decoder.decode(running.decoding, running.ids[-1])
            ids = torch.tensor([running.ids], device=logits.device)
            for constraint in running.constraints:
                logits = constraint(ids, logits)
            return logits

    def _append(self, running: Running, token: Token | None, now: float) -> Output:
        sequence = running.sequence
        if token is None:
            problem = Problem("internal_error", "the model's logits are not finite numbers")
            return Output(sequence.id, done=True, problem=problem)
        running.ids.append(token.id)
        reason = sequence.append(token.id, now)
        if reason is None:
            return Output(sequence.id, [token])
        items: list[Token | Finished] = [] if reason is Finish.STOP else [token]
        is_last = len(running.ids) - 1 == sequence.generation.max_tokens
        if is_last and self._forces_end:
            reason = Finish.LENGTH  # the limit has ended it, not the model
        return Output(sequence.id, [*items, sequence.finished(reason, now)], done=True)


def _draw_of(running: Running) -> Draw:
    sequence = running.sequence
    return Draw(
        sequence.generation.sampling,
        sequence.seed,
        sequence.generated,
        running.ids,
        sequence.generation.top_logprobs,
    )
