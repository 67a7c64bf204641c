"""The trace lane: what a module of torch tells of a text beside its answer.

Integrated gradients go along a path in as many steps as its points need: each step computes some
points, forwards and backwards, and jobs take turns. Attention is one forward pass of one sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.device import torch_name
from llmaas_server.runtime.faults import blamed
from llmaas_server.runtime.gradients import Path, PathSum, inputs_of
from llmaas_server.runtime.interface import Floats
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.loader import LoadedModel
from llmaas_server.runtime.meter import Meter
from llmaas_server.runtime.request import Attention, Attribution
from llmaas_server.seam.lanes import LaneState
from llmaas_server.seam.values import WorkerOptions

PASSES = 3
"""A point forwards and backwards takes about as long as three forward passes."""


@dataclass(slots=True)
class Work:
    """A job, and how far along its path it is; attention has no path."""

    job: Job
    sum: PathSum | None


class TraceLane:
    """Runs jobs of `Attribution` and `Attention` with one encoder or classifier in float32."""

    def __init__(self, model: LoadedModel, options: WorkerOptions) -> None:
        """Raises Problem `model_cannot_do_task` for an encoder-decoder: its text is read twice,
        and its attention is not one matrix of the text."""
        if model.config.is_encoder_decoder:
            raise Problem(
                "model_cannot_do_task",
                f"{model.ref.name!r} is an encoder-decoder: neither gradients nor attention of it "
                "are of one reading of the text",
                hint="Explain by occlusion, or choose a model that is an encoder.",
            )
        self._model = model
        self._max_tokens = options.max_step_tokens
        self._loads: dict[int, int] = {}
        self.meter = Meter()
        self._works: dict[int, Work] = {}
        """By job, the next one first."""

    @property
    def busy(self) -> bool:
        return bool(self._works)

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
        return LaneState(self.meter.batch, len(self._works))

    def submit(self, job: Job) -> None:
        """The caller has seen that the sequence fits into the context."""
        path = Path(self._model, job.work) if isinstance(job.work, Attribution) else None
        self._works[job.id] = Work(job, PathSum(path) if path else None)

    def abort(self, job_id: int) -> None:
        self._works.pop(job_id, None)

    def step(self) -> list[Output]:
        id, work = next(iter(self._works.items()))
        del self._works[id]
        self.meter.batch = 1
        try:
            with blamed():
                output = self._read(work) if work.sum is None else self._advance(work, work.sum)
        except Problem as problem:
            return [Output(id, done=True, problem=problem)]
        if output is None:
            self._works[id] = work  # to the end of the line
            return []
        return [output]

    def check(self) -> None:
        for work in self._works.values():
            assert work.sum is None or not work.sum.done, f"job {work.job.id} has nothing to do"

    def _advance(self, work: Work, sum: PathSum) -> Output | None:
        """Some points of the path; the output where they were the last."""
        length = len(work.job.work.ids)
        points = max(1, self._max_tokens // (PASSES * length))
        taken = sum.advance(points)
        self._loads = {work.job.id: taken * length}
        self.meter.prefill_tokens += taken * length
        return Output(work.job.id, [sum.result()], done=True) if sum.done else None

    @torch.inference_mode()
    def _read(self, work: Work) -> Output:
        wanted: Attention = work.job.work
        self._loads = {work.job.id: len(wanted.ids)}
        self.meter.prefill_tokens += len(wanted.ids)
        inputs = inputs_of(self._model, wanted.ids, wanted.types, 1)
        layers = self._model.module(**inputs, output_attentions=True).attentions
        if not layers or any(layer is None for layer in layers):
            raise Problem(
                "model_cannot_do_task",
                f"{self._model.ref.name!r} ({self._model.config.model_type}) gives no attention",
                param="view",
            )
        weights: Floats = torch.stack([layer[0].float() for layer in layers]).cpu().numpy()
        return Output(work.job.id, [weights], done=True)
