"""From a model's files to the model and the lane that runs it.

A model that our kernels can compute never becomes a module of torch where the kernels are built
already. Where they are still being built it starts as one, and the kernels take over.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

import msgspec
import torch

from llmaas_server.errors import Problem
from llmaas_server.models.machine import physical_cores
from llmaas_server.seam.values import ModelRef, WorkerOptions

from .compiling import Compiling
from .cuda.decoder import PagedDecoder
from .decoder import TorchDecoder
from .decoding import Decoder
from .device import device_of
from .kernels.library import Library
from .kernels.supply import Supply
from .lane import Lane
from .lanes.encode import EncodeLane
from .lanes.generate import GenerateLane
from .lanes.seq2seq import Seq2SeqLane
from .lanes.trace import TraceLane
from .loader import LoadedModel, describe, load
from .native import decoder as native_decoder
from .native import encoder as native_encoder
from .native.decoder import NativeDecoder
from .native.encoder import NativeEncoder
from .native.weights import Quantization
from .twin import TwinRef

log = logging.getLogger(__name__)

Progress = Callable[[float], None]


class Opening:
    """Opens models as the options of a worker say."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self.supply: Supply | None = None
        """The kernels of our own, where models of this worker may run on them."""
        # Whoever names a type of numbers wants torch to compute in it.
        if options.kernels and options.dtype == "auto" and device_of(options).type == "cpu":
            threads = options.threads or physical_cores()
            self.supply = Supply(Path(options.kernels), threads)

        self._compiling = Compiling()

    def open(
        self, ref: ModelRef, options: WorkerOptions, progress: Progress
    ) -> tuple[LoadedModel, Lane]:
        """Load the model and make its lane; raises Problem as these two do."""
        if isinstance(ref, TwinRef):
            model = load(ref, msgspec.structs.replace(options, dtype="float32"), progress)
            model.module.set_attn_implementation("eager")  # which alone tells its attention
            return model, TraceLane(model, options)
        if ref.kind == "decoder":
            return self._open_decoder(ref, progress)
        if ref.kind in ("encoder", "classifier"):
            return self._open_encoder(ref, progress)
        model = load(ref, options, progress)
        return model, Seq2SeqLane(model, options)

    def _open_decoder(self, ref: ModelRef, progress: Progress) -> tuple[LoadedModel, Lane]:
        described = describe(ref, self._options)
        successor: Future[Decoder] | None = None
        quantization = self._options.quantization_of(ref.name)
        supply = self.supply

        def make(library: Library, progress: Progress) -> NativeDecoder:
            bits: Quantization = "auto" if quantization == "none" else quantization
            return NativeDecoder(Path(ref.path), described.config, library, bits, progress)

        if supply and quantization != "none" and native_decoder.can_run(described.config):
            library = supply.now()
            if library is not None:
                native = make(library, progress)
                model = replace(described, bytes=native.weight_bytes)
                return model, GenerateLane(native, model.context, self._options)
            successor = supply.later(lambda library: make(library, _silent))
        model = load(ref, self._options, progress)
        decoder = self._torch_decoder(model)
        if self._options.compiled and successor is None:
            self._compiling.begin(ref.name, decoder.compile)
        # The lane alone holds the module: a successor then frees its memory.
        lane = GenerateLane(decoder, model.context, self._options, successor)
        return replace(model, module=None), lane

    def _torch_decoder(self, model: LoadedModel) -> TorchDecoder:
        if model.device.type != "cuda" or model.dtype == torch.float32:
            return TorchDecoder(model.module, model.device)
        try:
            return PagedDecoder(
                model.module, model.device, self._options.max_sequences, model.context
            )
        except Problem as problem:  # such as a family that caps its scores
            log.info("%s runs without pages: %s", model.ref.name, problem.message)
            return TorchDecoder(model.module, model.device)

    def _open_encoder(self, ref: ModelRef, progress: Progress) -> tuple[LoadedModel, Lane]:
        described = describe(ref, self._options)
        supply, quantization = self.supply, self._options.quantization_of(ref.name)
        if supply and quantization != "none" and native_encoder.can_run(described.config):
            library = supply.now()
            if library is not None:
                native = NativeEncoder(
                    Path(ref.path),
                    described.config,
                    library,
                    progress,
                    head=ref.kind == "classifier",
                )
                model = replace(described, bytes=native.weight_bytes)
                return model, EncodeLane(model, self._options, native)
            # Built for the next time: what this model has embedded stays comparable.
            supply.later(lambda library: library.instructions)
        model = load(ref, self._options, progress)
        return model, EncodeLane(model, self._options)


def _silent(share: float) -> None:
    """Nobody waits for this."""
