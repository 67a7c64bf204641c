"""A decoder model of transformers on a GPU."""

from __future__ import annotations

import logging
from typing import Any

import torch
from torch import Tensor

from llmaas_server.runtime.compiled import Attend
from llmaas_server.runtime.decoder import TorchDecoder
from llmaas_server.runtime.sequence import Chunk

from . import attention
from .graphs import CudaRecorder, Graphs, Record
from .pages import PAGE_TOKENS, Pages
from .step import Step, build

log = logging.getLogger(__name__)


class PagedDecoder(TorchDecoder):
    """Implements `decoding.Decoder` over pages: prompts by one call of torch's varlen kernel in
    each layer, answers by graphs that were recorded when the model was loaded.

    Raises Problem `model_cannot_do_task` as its base does.
    """

    block_tokens = PAGE_TOKENS

    def __init__(
        self,
        module: Any,
        device: torch.device,
        most_sequences: int,
        context: int,
        record: Record | None = None,
    ) -> None:
        """`record` is for tests; None records on a GPU, and elsewhere nothing."""
        self._most_sequences = most_sequences
        self._context = context
        self._record = CudaRecorder() if record is None and device.type == "cuda" else record
        self._graphs: Graphs | None = None
        super().__init__(module, device)

    @property
    def name(self) -> str:
        return f"{super().name} pages" + (" graphs" if self._graphs else "")

    def reserve(self, blocks: int) -> None:
        self._graphs = None
        pages = self._make_cache(blocks)
        self._cache = pages
        if self._record is None or not blocks:
            return
        most_keys = min(self._context, blocks * self.block_tokens)
        try:
            self._graphs = Graphs(
                self._forward,
                pages,
                self._most_sequences,
                most_keys,
                self.device,
                self._record,
            )
        except (RuntimeError, NotImplementedError) as error:  # of a family that asks the device
            log.warning("%s: steps are launched one by one: %s", self.family, error)

    def logits(self, chunks: list[Chunk]) -> Tensor:
        if self._graphs is not None and self._graphs.can_run(chunks):
            return self._graphs.logits(chunks)
        return super().logits(chunks)

    def _make_cache(self, blocks: int) -> Pages:
        return Pages(blocks, self.block_tokens)

    def _build(self, chunks: list[Chunk], cache: Any) -> Step:
        return build(chunks, cache, self.device)

    @property
    def _attend(self) -> Attend:
        return attention.attend

    def _register(self) -> str:
        attention.register()
        return attention.NAME
