"""The classification head of BERT: a pooler of the first token's state, then a score per label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from llmaas_server.errors import Problem

from .weights import Weights


@dataclass(frozen=True, slots=True)
class _Dense:
    weight: Tensor
    bias: Tensor

    def __call__(self, row: Tensor) -> Tensor:
        return torch.addmv(self.bias, self.weight, row)

    @property
    def nbytes(self) -> int:
        return self.weight.nbytes + self.bias.nbytes


@dataclass(frozen=True, slots=True)
class Head:
    """Stays in float32: it costs little, since one row of each text passes it."""

    pooler: _Dense
    classifier: _Dense

    @classmethod
    def read(cls, weights: Weights, prefix: str, config: Any) -> Head:
        """`prefix` is what the body's names begin with. Raises Problem `model_has_no_head`, and
        `model_broken` where the weights are of other labels than the config names."""
        layers = (f"{prefix}pooler.dense", "classifier")
        names = [f"{layer}.{part}" for layer in layers for part in ("weight", "bias")]
        if missing := [name for name in names if name not in weights]:
            raise Problem(
                "model_has_no_head",
                f"the weights in {weights.folder} have no trained classification head: "
                f"{', '.join(missing)} are not among them",
            )
        found = [weights.vector(name) for name in names]
        labels, hidden = config.num_labels, config.hidden_size
        shapes = [tuple(tensor.shape) for tensor in found]
        if shapes != [(hidden, hidden), (hidden,), (labels, hidden), (labels,)]:
            raise Problem(
                "model_broken",
                f"the classification head in {weights.folder} does not fit the config's "
                f"{labels} labels and {hidden} hidden units",
                hint="Pull the model again: its files do not belong together.",
            )
        return cls(_Dense(*found[:2]), _Dense(*found[2:]))

    def logits(self, first: Tensor) -> Tensor:
        """[texts, labels] of the first tokens' states [texts, hidden].

        Row by row: a product of matrices sums in an order that depends on how many rows there are.
        """
        return torch.stack([self.classifier(self.pooler(row).tanh()) for row in first])

    @property
    def nbytes(self) -> int:
        return self.pooler.nbytes + self.classifier.nbytes
