"""From a model's files to the model and the lane that runs it.

A model that our kernels can compute never becomes a module of torch where the kernels are built
already. Where they are still being built it starts as one, and the kernels take over.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path

from llmaas_server.seam.values import ModelRef, WorkerOptions

from .decoder import TorchDecoder
from .decoding import Decoder
from .device import device_of, physical_cores
from .kernels.library import Library
from .kernels.supply import Supply
from .lane import Lane
from .lanes.encode import EncodeLane
from .lanes.generate import GenerateLane
from .lanes.seq2seq import Seq2SeqLane
from .loader import LoadedModel, describe, load
from .native import decoder as native_decoder
from .native import encoder as native_encoder
from .native.decoder import NativeDecoder
from .native.encoder import NativeEncoder
from .native.weights import Quantization

Progress = Callable[[float], None]


class Opening:
    """Opens models as the options of a worker say."""

    def __init__(self, options: WorkerOptions) -> None:
        self._options = options
        self._supply: Supply | None = None
        # Whoever names a type of numbers wants torch to compute in it.
        wanted = options.quantization != "none" and options.dtype == "auto"
        if options.kernels and wanted and device_of(options).type == "cpu":
            threads = options.threads or physical_cores()
            self._supply = Supply(Path(options.kernels), threads)

    def open(
        self, ref: ModelRef, options: WorkerOptions, progress: Progress
    ) -> tuple[LoadedModel, Lane]:
        """Load the model and make its lane; raises Problem as these two do."""
        if ref.kind == "decoder":
            return self._open_decoder(ref, progress)
        if ref.kind == "encoder":
            return self._open_encoder(ref, progress)
        model = load(ref, options, progress)
        lane = Seq2SeqLane if ref.kind == "seq2seq" else EncodeLane
        return model, lane(model, options)

    def _open_decoder(self, ref: ModelRef, progress: Progress) -> tuple[LoadedModel, Lane]:
        described = describe(ref, self._options)
        successor: Future[Decoder] | None = None

        def make(library: Library, progress: Progress) -> NativeDecoder:
            return NativeDecoder(
                Path(ref.path), described.config, library, self._quantization, progress
            )

        if self._supply is not None and native_decoder.can_run(described.config):
            library = self._supply.now()
            if library is not None:
                native = make(library, progress)
                model = replace(described, bytes=native.weight_bytes)
                return model, GenerateLane(native, model.context, self._options)
            successor = self._supply.later(lambda library: make(library, _silent))
        model = load(ref, self._options, progress)
        decoder = TorchDecoder(model.module, model.device)
        # The lane alone holds the module: a successor then frees its memory.
        lane = GenerateLane(decoder, model.context, self._options, successor)
        return replace(model, module=None), lane

    def _open_encoder(self, ref: ModelRef, progress: Progress) -> tuple[LoadedModel, Lane]:
        described = describe(ref, self._options)
        if self._supply is not None and native_encoder.can_run(described.config):
            library = self._supply.now()
            if library is not None:
                native = NativeEncoder(Path(ref.path), described.config, library, progress)
                model = replace(described, bytes=native.weight_bytes)
                return model, EncodeLane(model, self._options, native)
            # Built for the next time: what this model has embedded stays comparable.
            self._supply.later(lambda library: library.instructions)
        model = load(ref, self._options, progress)
        return model, EncodeLane(model, self._options)

    @property
    def _quantization(self) -> Quantization:
        chosen = self._options.quantization
        return "auto" if chosen == "none" else chosen


def _silent(share: float) -> None:
    """Nobody waits for this."""
