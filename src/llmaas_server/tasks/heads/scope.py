"""Texts that deserve none of the labels: their largest logit is low."""

from __future__ import annotations

import numpy as np

from llmaas_client.wire.classifiers import Scope

from .logistic import Floats


def scope_scores(logits: Floats) -> Floats:
    """[texts]; the higher, the surer it is that one of the labels is deserved."""
    largest: Floats = logits.max(axis=1)
    return largest


def between(inside: Floats, outside: Floats) -> Scope:
    """The threshold with the most right decisions, where both sides count the same."""
    scores = np.concatenate([inside, outside])
    order = np.argsort(scores, kind="stable")
    is_inside = np.concatenate([np.ones(len(inside)), np.zeros(len(outside))])[order]
    # Where the threshold is at scores[order][i]: what lies below is refused.
    lost = np.concatenate(([0.0], np.cumsum(is_inside)[:-1])) / len(inside)
    caught = np.concatenate(([0.0], np.cumsum(1 - is_inside)[:-1])) / len(outside)
    best = int(np.argmax(caught - lost))
    below = scores[order][max(best - 1, 0)]
    threshold = float((below + scores[order][best]) / 2)
    return Scope(threshold=threshold, basis=f"{len(outside)} examples out of scope")


def at_quantile(inside: Floats, share: float) -> Scope:
    """The threshold that refuses this share of the examples."""
    threshold = float(np.quantile(inside, share))
    return Scope(threshold=threshold, basis=f"quantile {share:g} of {len(inside)} examples")


def auroc(inside: Floats, outside: Floats) -> float:
    """The probability that one of `inside` has the higher score; ties count half."""
    ordered = np.sort(inside)
    below = np.searchsorted(ordered, outside, "left")
    up_to = np.searchsorted(ordered, outside, "right")
    higher = len(inside) - up_to + 0.5 * (up_to - below)
    return float(higher.sum() / (len(inside) * len(outside)))
