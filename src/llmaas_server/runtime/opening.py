"""From a model's files to the model and the lane that runs it."""

from __future__ import annotations

from collections.abc import Callable

from llmaas_server.seam.values import ModelKind, ModelRef, WorkerOptions

from .lane import Lane
from .lanes.encode import EncodeLane
from .lanes.generate import GenerateLane
from .lanes.seq2seq import Seq2SeqLane
from .loader import LoadedModel, load

_LANES: dict[ModelKind, Callable[[LoadedModel, WorkerOptions], Lane]] = {
    "decoder": GenerateLane,
    "encoder": EncodeLane,
    "classifier": EncodeLane,
    "seq2seq": Seq2SeqLane,
}


def open_model(
    ref: ModelRef, options: WorkerOptions, progress: Callable[[float], None]
) -> tuple[LoadedModel, Lane]:
    """Load the model and make its lane; raises Problem as these two do."""
    model = load(ref, options, progress)
    return model, _LANES[ref.kind](model, options)
