"""The generate lane: sequences of a decoder model, batched anew in every step."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from torch import Tensor

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.blocks import Blocks
from llmaas_server.runtime.decoding import Decoder
from llmaas_server.runtime.draw import Draw
from llmaas_server.runtime.faults import blamed
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.request import Finished, Generation, Scoring, Token
from llmaas_server.runtime.sampler import logprobs, sample
from llmaas_server.runtime.scheduler import Scheduler
from llmaas_server.runtime.scoring import ScoreSequence
from llmaas_server.runtime.sequence import Chunk, GenerateSequence, Sequence
from llmaas_server.seam.lanes import LaneState
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
        self._loads: dict[int, int] = {}
        self.meter = Meter()
        self._install(decoder)

    @property
    def decoder(self) -> Decoder:
        """What computes now."""
        return self._decoder

    @property
    def busy(self) -> bool:
        return self._scheduler.busy

    @property
    def kernels(self) -> str:
        return self._decoder.name

    @property
    def weight_bytes(self) -> int | None:
        # Until the successor takes over, its weights are in memory, too, or will be.
        return None if self._successor is not None else self._decoder.weight_bytes

    @property
    def loads(self) -> Mapping[int, int]:
        return self._loads

    @property
    def state(self) -> LaneState:
        scheduler, size = self._scheduler, self._block_bytes
        blocks = scheduler.blocks
        return LaneState(
            scheduler.running,
            scheduler.queued,
            size * blocks.held,
            size * blocks.kept,
            size * blocks.capacity,
        )

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
        self._loads = {chunk.sequence.id: chunk.size for chunk in chunks}
        self.meter.batch = len(chunks)
        try:
            logits = self._compute(chunks)
        except Problem:
            # Something in it fails the whole step: each chunk by itself, then.
            return [output for chunk in chunks for output in self._run_alone(chunk)]
        return self._commit(chunks, logits)

    def _compute(self, chunks: list[Chunk]) -> Tensor:
        """Raises Problem, see `faults.blamed`."""
        with blamed():
            return self._decoder.logits(chunks)

    def _run_alone(self, chunk: Chunk) -> list[Output]:
        try:
            logits = self._compute([chunk])
        except Problem as problem:
            self._scheduler.drop(chunk.sequence.id)
            return [_failed(chunk.sequence, [], problem)]
        return self._commit([chunk], logits)

    def _install(self, decoder: Decoder) -> None:
        options = self._options
        self._decoder = decoder
        size = decoder.block_tokens
        most = options.max_sequences * -(-self._context // size)
        self._block_bytes = size * decoder.bytes_per_token
        blocks = Blocks(min(most, options.kv_bytes // self._block_bytes), size)
        decoder.reserve(blocks.capacity)
        self._scheduler = Scheduler(
            blocks, options.max_sequences, options.max_step_tokens, self.meter
        )

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
        """Take what the step computed: the next tokens of each answer, the scores of each score."""
        answers: list[Answer] = []
        answer_rows: list[int] = []
        outputs: list[Output] = []
        row = 0
        for chunk in chunks:
            sequence = chunk.sequence
            rows = range(row, row := row + len(chunk.wanted))
            if isinstance(sequence, GenerateSequence) and rows:
                answers.append(Answer(sequence, len(rows) - 1))
                answer_rows += rows
                continue
            sequence.computed = chunk.stop
            if isinstance(sequence, ScoreSequence):
                outputs += _read_scores(sequence, chunk, logits[rows.start : rows.stop])
        # Rows are large: they are copied only where others are among them.
        is_all = len(answer_rows) == len(logits)
        outputs += self._extend(answers, logits if is_all else logits[answer_rows])
        for output in outputs:
            if output.done:
                self._scheduler.drop(output.job_id)
        return outputs

    def _extend(self, answers: list[Answer], logits: Tensor) -> list[Output]:
        """Draw the next tokens of each answer; `logits` are theirs, row by row."""
        if not answers:
            return []
        drawn = sample(logits, [draw for answer in answers for draw in answer.draws()])
        now = time.monotonic()
        outputs = []
        row = 0
        for answer in answers:
            tokens = drawn[row : (row := row + answer.drafted + 1)]
            right = answer.right(tokens)
            self.meter.accept(right)
            outputs.append(answer.take(tokens[: right + 1], now))
        return outputs

    def _too_large(self, sequence: Sequence) -> Problem:
        most, size = self._scheduler.blocks.tokens, self._decoder.bytes_per_token
        return Problem(
            "out_of_memory",
            f"the request needs keys and values of {sequence.room} tokens "
            f"({_mib(sequence.room * size)}), and the budget holds {most} "
            f"({_mib(most * size)})",
            hint="Ask for fewer tokens, or raise kv_bytes on the server.",
        )


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer whose next token is drawn, and the tokens after a draft of it if that is right."""

    sequence: GenerateSequence
    drafted: int
    """Tokens of the draft that the step computed."""

    def draws(self) -> list[Draw]:
        """One for the token after each token that was computed."""
        sequence, generation = self.sequence, self.sequence.generation
        mask = None if sequence.matcher is None else sequence.matcher.mask()
        return [
            Draw(
                generation.sampling,
                sequence.seed,
                sequence.generated + at,
                sequence.ids(0, len(sequence.tokens) + at) if at else sequence.tokens,
                generation.top_logprobs,
                mask,
            )
            for at in range(self.drafted + 1)
        ]

    def right(self, tokens: list[Token | None]) -> int:
        """How many of the draft's tokens were drawn, up to the first that was not."""
        if not self.drafted:
            return 0
        draft = self.sequence.draft[: self.drafted]
        drawn = (None if token is None else token.id for token in tokens)
        agreed = zip(draft, drawn, strict=False)  # one more is drawn than was guessed
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], agreed))

    def take(self, tokens: list[Token | None], now: float) -> Output:
        """What was drawn: the tokens of the draft that were right, and the one after them.

        A draw depends on its place and on what is before it alone: the answer is the one that
        would have come without a draft.
        """
        sequence = self.sequence
        items: list[Token | Finished] = []
        sequence.computed = len(sequence.tokens)
        for token in tokens:
            if token is None:
                return _failed(sequence, items, not_finite())
            if sequence.matcher is not None and (problem := sequence.matcher.problem):
                return _failed(sequence, items, problem)
            before = sequence.generated
            reason = sequence.append(token.id, now)
            items += [token] if sequence.generated > before else []
            if reason is not None:
                items.append(sequence.finished(reason, now))
                return Output(sequence.id, items, done=True)
        right = len(tokens) - 1
        sequence.computed += right
        sequence.settle(self.drafted, right)
        return Output(sequence.id, items)


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
        return [_failed(sequence, [], not_finite())]
    for (_, target), score in zip(targets, found, strict=True):
        sequence.scores[target.continuation][target.offset] = score
    sequence.advance()
    return [Output(sequence.id, [sequence.scores], done=True)] if sequence.done else []


def not_finite() -> Problem:
    return Problem("internal_error", "the model's logits are not finite numbers")


def _failed(sequence: Sequence, items: list[Any], problem: Problem) -> Output:
    return Output(sequence.id, items, done=True, problem=problem)


def _mib(size: int) -> str:
    return f"{size / (1 << 20):.1f} MiB"
