"""The bound that support keeps to, on a sample of each set."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from benchmarks.grounding import auroc, judged, sets

from llmaas_server.runtime.engine import Engine
from llmaas_server.seam.values import ModelRef

DOCUMENTS = 60
SETS = ("dialogues", "abstracts")
"""Meetings of 10,000 words take minutes: docs/tasks/summarize.md has their figures."""


@pytest.mark.real_models
async def test_true_sentences_have_more_support_than_false_ones(
    engine: Engine, embedding_ref: ModelRef
) -> None:
    data = os.environ.get("LLMAAS_EVAL_DATA")
    if not data:
        pytest.skip("LLMAAS_EVAL_DATA names no folder with evaluation data")
    model = await engine.load(embedding_ref)
    for one in sets(Path(data), DOCUMENTS):
        if one.name not in SETS:
            continue
        for kind, (true, false) in (await judged(one, engine, model)).pairs.items():
            area = auroc(true, false)
            print(f"{one.name}, {kind}: {area:.3f} of {len(true)} and {len(false)}")
            assert area >= 0.90, (one.name, kind)
