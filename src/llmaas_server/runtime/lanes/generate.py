"""The generate lane: sequences of a decoder model, batched anew in every step."""

from __future__ import annotations

import math
import secrets
import time
from concurrent.futures import Future

from torch import Tensor

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.decoding import Decoder
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.request import Finished, Generation, Scoring, Token
from llmaas_server.runtime.sampler import Draw, logprobs, sample
from llmaas_server.runtime.scheduler import Scheduler
from llmaas_server.runtime.scoring import ScoreSequence
from llmaas_server.runtime.sequence import Chunk, GenerateSequence, Sequence
from llmaas_server.runtime.slots import Slots
from llmaas_server.seam.values import WorkerOptions


class GenerateLane:
    """Generates (`Generation`) and scores (`Scoring`) with one decoder model.

    `successor` is a faster decoder of the same model that is still being made. Once it is there,
    nothing new is admitted until what runs has ended, and then it takes over.
    """

    def __init__(
        self,
        decoder: Decoder,
        context: int,
        options: WorkerOptions,
        successor: Future[Decoder] | None = None,
    ) -> None:
        self._context = context
        self._options = options
        self._successor = successor
        self._install(decoder)

    @property
    def decoder(self) -> Decoder:
        """What computes now."""
        return self._decoder

    @property
    def busy(self) -> bool:
        return self._scheduler.busy

    def submit(self, job: Job) -> None:
        sequence = self._sequence_of(job)
        longest = self._decoder.longest
        if longest is not None and sequence.room > longest:
            raise context_overflow(sequence.room, longest)
        if not self._scheduler.can_add(sequence):
            raise self._too_large(sequence)
        self._scheduler.add(sequence)

    def abort(self, job_id: int) -> None:
        self._scheduler.drop(job_id)

    def check(self) -> None:
        self._scheduler.check()

    def step(self) -> list[Output]:
        self._succeed()
        chunks = self._scheduler.schedule(time.monotonic())
        logits = self._decoder.logits(chunks)
        return self._commit(chunks, logits)

    def _install(self, decoder: Decoder) -> None:
        options = self._options
        self._decoder = decoder
        most = options.max_sequences * (self._context + decoder.grain)
        slots = Slots(min(most, options.kv_bytes // decoder.bytes_per_token), decoder.grain)
        decoder.reserve(slots.capacity)
        self._scheduler = Scheduler(slots, options.max_sequences, options.max_step_tokens)

    def _succeed(self) -> None:
        """Hand over to the successor where it is there and nothing runs."""
        if self._successor is None or not self._successor.done():
            return
        if self._successor.exception() is not None:
            self._successor = None
            return
        self._scheduler.holding = True
        if self._scheduler.running:
            return
        waiting = self._scheduler.waiting()
        self._install(self._successor.result())
        self._successor = None
        for sequence in waiting:
            self._scheduler.add(sequence)

    def _sequence_of(self, job: Job) -> Sequence:
        if isinstance(job.work, Scoring):
            return ScoreSequence(job.id, job.work, self._scheduler.max_step_tokens, job.tenant)
        work: Generation = job.work
        seed = secrets.randbits(63) if work.sampling.seed is None else work.sampling.seed
        return GenerateSequence(job.id, work, seed, job.submitted)

    def _commit(self, chunks: list[Chunk], logits: Tensor) -> list[Output]:
        """Take what the step computed: the next token of each answer, the scores of each score."""
        answers: list[GenerateSequence] = []
        answer_rows: list[int] = []
        outputs: list[Output] = []
        row = 0
        for chunk in chunks:
            sequence = chunk.sequence
            sequence.computed = chunk.stop
            rows = range(row, row := row + len(chunk.wanted))
            if isinstance(sequence, ScoreSequence):
                outputs += _read_scores(sequence, chunk, logits[rows.start : rows.stop])
            elif isinstance(sequence, GenerateSequence) and rows:
                answers.append(sequence)
                answer_rows.append(rows.start)
        outputs += _extend(answers, logits[answer_rows])
        for output in outputs:
            if output.done:
                self._scheduler.drop(output.job_id)
        return outputs

    def _too_large(self, sequence: Sequence) -> Problem:
        slots, size = self._scheduler.slots, self._decoder.bytes_per_token
        return Problem(
            "out_of_memory",
            f"the request needs keys and values of {sequence.room} tokens "
            f"({_mib(sequence.room * size)}), and the budget holds {slots.capacity} "
            f"({_mib(slots.capacity * size)})",
            hint="Ask for fewer tokens, or raise kv_bytes on the server.",
        )


def _extend(answers: list[GenerateSequence], logits: Tensor) -> list[Output]:
    """Draw one token for each answer; `logits` are theirs, row by row."""
    if not answers:
        return []
    tokens = sample(logits, [_draw_of(sequence) for sequence in answers])
    now = time.monotonic()
    return [_append(sequence, token, now) for sequence, token in zip(answers, tokens, strict=True)]


def _draw_of(sequence: GenerateSequence) -> Draw:
    generation = sequence.generation
    return Draw(
        generation.sampling,
        sequence.seed,
        sequence.generated,
        sequence.tokens,
        generation.top_logprobs,
        None if sequence.matcher is None else sequence.matcher.mask(),
    )


def _append(sequence: GenerateSequence, token: Token | None, now: float) -> Output:
    if token is None:
        return _not_finite(sequence)
    if sequence.matcher is not None and (problem := sequence.matcher.problem):
        return Output(sequence.id, done=True, problem=problem)
    before = sequence.generated
    reason = sequence.append(token.id, now)
    items: list[Token | Finished] = [token] if sequence.generated > before else []
    if reason is not None:
        items.append(sequence.finished(reason, now))
    return Output(sequence.id, items, done=reason is not None)


def _read_scores(sequence: ScoreSequence, chunk: Chunk, logits: Tensor) -> list[Output]:
    """Note what the chunk's logits say; an output where it was the last of the sequence."""
    targets = [
        (row, target)
        for row, index in enumerate(chunk.wanted)
        for target in sequence.targets(index)
    ]
    tokens = [target.token for _, target in targets]
    found = logprobs(logits, [row for row, _ in targets], tokens)
    if not all(map(math.isfinite, found)):
        return [_not_finite(sequence)]
    for (_, target), score in zip(targets, found, strict=True):
        sequence.scores[target.continuation][target.offset] = score
    sequence.advance()
    return [Output(sequence.id, [sequence.scores], done=True)] if sequence.done else []


def _not_finite(sequence: Sequence) -> Output:
    problem = Problem("internal_error", "the model's logits are not finite numbers")
    return Output(sequence.id, done=True, problem=problem)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
