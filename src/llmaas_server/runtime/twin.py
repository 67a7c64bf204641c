"""A second copy of an encoder or classifier, for what kernels do not compute.

Gradients and attention come from a module of torch in float32. It is a model of its own among
those in memory: loaded at first use under the same budget, and gone when its room is needed.
"""

from __future__ import annotations

from llmaas_server.seam.values import ModelRef


class TwinRef(ModelRef, frozen=True):
    """Such a copy of the model in the same folder."""


def twin_of(ref: ModelRef) -> TwinRef:
    return TwinRef(
        twin_name(ref.name), ref.path, ref.kind, ref.sentence_embeddings, ref.fingerprint
    )


def twin_name(name: str) -> str:
    """Of the copy of a model, as errors and lists of what is in memory have it."""
    return f"{name} (float32)"
