"""Integrated gradients over the table of token embeddings.

The path from a baseline e0 to the text e1, both [tokens, hidden], is e0 + a (e1 - e0). What a token
has to do with the way is

    (e1 - e0) . integral over a from 0 to 1 of d readout / d e      (Sundararajan et al. 2017)

summed over hidden units. The integral is a sum over the points of Gauss and Legendre. Everything
above the table (positions, norms, layers, pooling) is part of what is differentiated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from llmaas_server.errors import Problem

from .loader import LoadedModel, takes_types
from .pooling import pool
from .request import Attributed, Attribution, Readout


class Path:
    """The way from nothing to a text, and what a model says of any point of it."""

    def __init__(self, model: LoadedModel, wanted: Attribution) -> None:
        self.wanted = wanted
        self._model = model

    def ends(self) -> tuple[Tensor, Tensor]:
        """The baseline and the text, [tokens, hidden] each."""
        module, wanted = self._model.module, self.wanted
        table = module.get_input_embeddings()
        ids = torch.tensor(wanted.ids, device=self._model.device)
        with torch.no_grad():
            text = table(ids)
            padding = self._model.config.pad_token_id
            nothing = torch.zeros_like(text) if padding is None else table(ids.new_tensor(padding))
            replaced = torch.tensor(wanted.replaced, device=self._model.device)
            return torch.where(replaced[:, None], nothing, text), text

    def values(self, embedded: Tensor) -> Tensor:
        """The readout of rows of token embeddings: [rows, tokens, hidden] -> [rows]."""
        wanted, module = self.wanted, self._model.module
        inputs = inputs_of(self._model, wanted.ids, wanted.types, len(embedded))
        with _looked_up(self._model, embedded):
            output = module(**inputs)
        if wanted.readout.weights is None:
            scores = output.logits.float()
        else:
            vectors = pool(output.last_hidden_state, inputs["attention_mask"], self._model.pooling)
            weights = torch.tensor(wanted.readout.weights).to(vectors)
            scores = vectors @ weights.T
            if wanted.readout.bias is not None:
                scores = scores + torch.tensor(wanted.readout.bias).to(vectors)
        return read_out(scores, wanted.readout)


class PathSum:
    """An integral along a path, as far as it is computed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._points, self._weights = points_of(path.wanted.steps)
        self._next = 0
        self._ends: tuple[Tensor, Tensor] | None = None
        self._gradient: Tensor | None = None

    @property
    def done(self) -> bool:
        return self._next == len(self._points)

    def advance(self, most: int) -> int:
        """Compute up to `most` further points; gives how many. There are some left."""
        if self._ends is None:
            self._ends = self._path.ends()
        nothing, text = self._ends
        chosen = slice(self._next, self._next + most)
        points, weights = (
            torch.tensor(part[chosen], dtype=text.dtype, device=text.device)
            for part in (self._points, self._weights)
        )
        rows = (nothing + points[:, None, None] * (text - nothing)).requires_grad_()
        values = self._path.values(rows)
        (gradients,) = torch.autograd.grad(values.sum(), rows)
        summed = torch.einsum("p,pth->th", weights, gradients).double()
        self._gradient = summed if self._gradient is None else self._gradient + summed
        self._next += len(points)
        return len(points)

    def result(self) -> Attributed:
        """All points are computed."""
        assert self._ends is not None
        assert self._gradient is not None
        nothing, text = self._ends
        scores = (self._gradient * (text - nothing).double()).sum(-1)
        with torch.no_grad():
            baseline, value = self._path.values(torch.stack([nothing, text])).tolist()
        return Attributed(scores.cpu().numpy(), value, baseline)


@lru_cache(64)
def points_of(steps: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Points from 0 to 1 and their weights, for the sum of Gauss and Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    return (nodes + 1) / 2, weights / 2


def read_out(scores: Tensor, readout: Readout) -> Tensor:
    """[rows, scores] -> [rows]"""
    value = scores[:, readout.chosen]
    if not readout.against:
        return value
    return value - torch.logsumexp(scores[:, list(readout.against)], dim=1)


def inputs_of(
    model: LoadedModel, ids: Sequence[int], types: Sequence[int] | None, rows: int
) -> dict[str, Tensor]:
    """A sequence `rows` times over, as the module takes it."""
    row = torch.tensor(ids, device=model.device).expand(rows, -1)
    inputs = {"input_ids": row, "attention_mask": torch.ones_like(row)}
    if types is not None and takes_types(model):
        inputs["token_type_ids"] = torch.tensor(types, device=model.device).expand(rows, -1)
    return inputs


@contextmanager
def _looked_up(model: LoadedModel, embedded: Tensor) -> Iterator[None]:
    """Within, the table of token embeddings gives `embedded`, whatever ids it is asked for."""
    calls = 0

    def give(table: object, given: object, found: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        if found.shape != embedded.shape:
            raise _unreachable(model)
        return embedded

    handle = model.module.get_input_embeddings().register_forward_hook(give)
    try:
        yield
    finally:
        handle.remove()
    if calls != 1:
        raise _unreachable(model)


def _unreachable(model: LoadedModel) -> Problem:
    return Problem(
        "model_cannot_do_task",
        f"gradients of {model.ref.name!r} ({model.config.model_type}) do not reach the text: it "
        "does not look its tokens up once",
        hint="Explain by occlusion.",
    )
