"""The encode lane: texts to vectors, or to logits of a head, in batches of similar length.

A step takes sequences of one bucket, padded to the longest of them. Jobs lead in turn, so that a
job of one text waits for one step of each other job, however many texts those have:

    step 1   job A leads   [A A A A A A A A]
    step 2   job B leads   [B A A A A A A A]   the room that a leader leaves goes to the others
    step 3   job A leads   …
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from llmaas_server.errors import Problem, context_overflow
from llmaas_server.runtime.device import torch_name
from llmaas_server.runtime.faults import blamed
from llmaas_server.runtime.interface import Floats
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.loader import LoadedModel, takes_types
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.native.encoder import NativeEncoder
from llmaas_server.runtime.pooling import pool
from llmaas_server.runtime.request import Encoding
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import WorkerOptions

_SHORT = 4
"""Sequences of up to 2**4 tokens share a bucket: padding them costs little."""

Ids = tuple[tuple[int, ...], tuple[int, ...] | None]
"""A sequence: its ids and, for pairs, its token types."""


@dataclass(frozen=True, slots=True, order=True)
class Bucket:
    """What can be in one batch: less than half of it is padding."""

    size: int
    """Sequences of up to 2**size tokens."""
    pairs: bool
    head: bool


@dataclass(slots=True)
class Work:
    """A job: what of it is to do, and what is done."""

    job: Job
    pending: dict[Bucket, deque[int]]
    """Indices of sequences, in the order of their length."""
    rows: dict[int, Floats] = field(default_factory=dict)

    @property
    def encoding(self) -> Encoding:
        encoding: Encoding = self.job.work
        return encoding

    @property
    def bucket(self) -> Bucket:
        return min(self.pending)

    @property
    def left(self) -> int:
        """Sequences that are pending."""
        return sum(map(len, self.pending.values()))

    def take(self, bucket: Bucket) -> int:
        """The next sequence of a bucket that is pending."""
        queue = self.pending[bucket]
        index = queue.popleft()
        if not queue:
            del self.pending[bucket]
        return index


@dataclass(frozen=True, slots=True)
class Row:
    """A sequence of a job, in a batch."""

    work: Work
    index: int

    @property
    def sequence(self) -> Ids:
        return self.work.encoding.sequences[self.index]


class EncodeLane:
    """Runs jobs of `Encoding` with one encoder or classifier.

    Raises Problem `model_cannot_do_task` for an encoder-decoder without a head: it has no vector
    of a text.
    """

    def __init__(
        self, model: LoadedModel, options: WorkerOptions, native: NativeEncoder | None = None
    ) -> None:
        config = model.config
        if model.ref.kind == "encoder" and config.is_encoder_decoder:
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} is an encoder-decoder, and gives no vector of a text",
            )
        self._model = model
        self._max_tokens = options.max_step_tokens
        self._pad_id = config.pad_token_id
        self._native = native
        self._takes_types = native is not None or takes_types(model)
        self._loads: Counter[int] = Counter()
        self.meter = Meter()
        self._waiting = 0
        """Sequences of all works that no step has taken."""
        self._works: dict[int, Work] = {}
        """By job, the leader first."""

    @property
    def busy(self) -> bool:
        return bool(self._works)

    @property
    def kernels(self) -> str:
        return torch_name(self._model.dtype) if self._native is None else self._native.name

    @property
    def weight_bytes(self) -> int:
        return self._model.bytes

    @property
    def loads(self) -> Mapping[int, int]:
        return self._loads

    @property
    def state(self) -> LaneState:
        return LaneState(self.meter.batch, self._waiting)

    def submit(self, job: Job) -> None:
        """Raises Problem `empty_text`, `context_overflow`, and `model_has_no_head` where a head
        is asked of a model without one."""
        encoding: Encoding = job.work
        if encoding.head and self._model.ref.kind != "classifier":
            raise Problem("model_has_no_head", f"{self._model.ref.name!r} has no trained head")
        lengths = [len(ids) for ids, _ in encoding.sequences]
        if not all(lengths) or not lengths:
            raise Problem("empty_text", "a text has no tokens")
        if max(lengths) > self._model.context:
            raise context_overflow(max(lengths), self._model.context, "a text")
        self._works[job.id] = Work(job, _bucketed(encoding))
        self._waiting += len(lengths)

    def abort(self, job_id: int) -> None:
        if work := self._works.pop(job_id, None):
            self._waiting -= work.left

    def step(self) -> list[Output]:
        head, batch = self._take_batch()
        self._loads = Counter()
        for row in batch:
            self._loads[row.work.job.id] += len(row.sequence[0])
        self.meter.batch = len(batch)
        self.meter.prefill_tokens += self._loads.total()
        outputs = self._run(batch, head)
        if outputs is None:
            # Something in it fails the whole batch: each job by itself, then.
            outputs = [output for part in _by_job(batch) for output in self._run_alone(part, head)]
        for output in outputs:
            self.abort(output.job_id)
        return outputs

    def check(self) -> None:
        for work in self._works.values():
            whole = len(work.encoding.sequences)
            assert work.left > 0, f"job {work.job.id} has nothing to do"
            assert work.left + len(work.rows) == whole, f"job {work.job.id} has lost sequences"
        left = sum(work.left for work in self._works.values())
        assert left == self._waiting, "sequences wait that no job has"

    def _take_batch(self) -> tuple[bool, list[Row]]:
        """Sequences of the leader's shortest bucket, then of the others' same bucket.

        At least one, and no more than `max_step_tokens` with their padding.
        """
        works = list(self._works.values())
        leader = works[0]
        bucket = leader.bucket
        batch: list[Row] = []
        longest = 0
        for work in works:
            while queue := work.pending.get(bucket):
                widest = max(longest, len(work.encoding.sequences[queue[0]][0]))
                if batch and not self._fits(len(batch) + 1, widest):
                    break
                batch.append(Row(work, work.take(bucket)))
                longest = widest
        self._works[leader.job.id] = self._works.pop(leader.job.id)  # to the end of the line
        self._waiting -= len(batch)
        return bucket.head, batch

    def _fits(self, rows: int, longest: int) -> bool:
        # Without a padding id, a model cannot tell padding from text.
        return self._pad_id is not None and rows * longest <= self._max_tokens

    def _run(self, batch: list[Row], head: bool) -> list[Output] | None:
        """The jobs that end with this batch; None where it cannot be computed."""
        try:
            return _outputs(batch, self._compute(batch, head))
        except Problem:
            return None

    def _run_alone(self, batch: list[Row], head: bool) -> list[Output]:
        try:
            return _outputs(batch, self._compute(batch, head))
        except Problem as problem:
            return [Output(batch[0].work.job.id, done=True, problem=problem)]

    @torch.inference_mode()
    def _compute(self, batch: Sequence[Row], head: bool) -> Floats:
        """[rows, hidden] or [rows, labels] in float32. Raises Problem, see `faults.blamed`."""
        if self._native is not None:
            return self._compute_native(self._native, batch, head)
        ids, mask = self._padded([row.sequence[0] for row in batch], self._pad_id or 0)
        inputs = {"input_ids": ids, "attention_mask": mask}
        if self._takes_types and batch[0].sequence[1] is not None:
            types = [row.sequence[1] or () for row in batch]
            inputs["token_type_ids"], _ = self._padded(types, 0)
        with blamed():
            output = self._model.module(**inputs)
        found: Tensor = (
            output.logits.float()
            if head
            else pool(output.last_hidden_state, mask, self._model.pooling)
        )
        array: Floats = found.cpu().numpy()
        return array

    def _compute_native(self, native: NativeEncoder, batch: Sequence[Row], head: bool) -> Floats:
        ids, types = zip(*(row.sequence for row in batch), strict=True)
        with blamed():
            computed = native.logits(ids, types) if head else native.hidden(ids, types)
        if not head:
            _, mask = self._padded(ids, 0)
            computed = pool(computed, mask, self._model.pooling)
        array: Floats = computed.numpy()
        return array

    def _padded(self, rows: Sequence[Sequence[int]], padding: int) -> tuple[Tensor, Tensor]:
        """Rows as one tensor, padded on the right, and its mask; both [rows, longest]."""
        longest = max(map(len, rows))
        ids = np.full((len(rows), longest), padding, dtype=np.int64)
        mask = np.zeros_like(ids)
        for i, row in enumerate(rows):
            ids[i, : len(row)] = row
            mask[i, : len(row)] = 1
        device = self._model.device
        return torch.from_numpy(ids).to(device), torch.from_numpy(mask).to(device)


def _outputs(batch: Sequence[Row], results: Floats) -> list[Output]:
    """Note what was computed; an output for each job that is done, or got no numbers."""
    broken: set[int] = set()
    for row, result in zip(batch, results, strict=True):
        row.work.rows[row.index] = result
        if not np.isfinite(result).all():
            broken.add(row.work.job.id)
    works = {row.work.job.id: row.work for row in batch}
    done = [_output(work) for id, work in works.items() if id not in broken and not work.pending]
    return [*done, *map(_not_finite, broken)]


def _output(work: Work) -> Output:
    rows = [work.rows[index] for index in range(len(work.rows))]
    return Output(work.job.id, [np.stack(rows)], done=True)


def _not_finite(job_id: int) -> Output:
    problem = Problem("internal_error", "the model's outputs are not finite numbers")
    return Output(job_id, done=True, problem=problem)


def _by_job(batch: Sequence[Row]) -> list[list[Row]]:
    parts: dict[int, list[Row]] = {}
    for row in batch:
        parts.setdefault(row.work.job.id, []).append(row)
    return list(parts.values())


def _bucketed(encoding: Encoding) -> dict[Bucket, deque[int]]:
    sequences = encoding.sequences
    pending: dict[Bucket, deque[int]] = {}
    for index in sorted(range(len(sequences)), key=lambda index: len(sequences[index][0])):
        ids, types = sequences[index]
        size = max(_SHORT, (len(ids) - 1).bit_length())
        bucket = Bucket(size, types is not None, encoding.head)
        pending.setdefault(bucket, deque()).append(index)
    return pending
