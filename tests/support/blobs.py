"""Vectors of texts that were never written: unit vectors around a centre for each label."""

from __future__ import annotations

import numpy as np

from llmaas_server.tasks.heads.logistic import Floats
from llmaas_server.tasks.heads.training import Material


def unit(vectors: Floats) -> Floats:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    divided: Floats = (vectors / lengths).astype(np.float32)
    return divided


def blobs(
    classes: int, each: int, *, spread: float = 0.1, hidden: int = 32, seed: int = 0
) -> Material:
    """`each` examples of each class."""
    generator = np.random.default_rng(seed)
    centres = unit(generator.normal(size=(classes, hidden)).astype(np.float32))
    targets = np.repeat(np.arange(classes), each)
    noise = generator.normal(size=(len(targets), hidden)).astype(np.float32)
    return Material(
        labels=tuple(f"label {number}" for number in range(classes)),
        vectors=unit(centres[targets] + spread * noise),
        targets=targets,
        words=centres,
        word_targets=np.arange(classes),
    )
