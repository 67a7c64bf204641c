"""Over a real server with the embedded model, on a little of the evaluation data."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from llmaas_client import Client, evaluation
from llmaas_server.models.store import Store
from support.serving import serving

DATA = Path(os.environ.get("LLMAAS_EVAL_DATA", "nowhere"))

pytestmark = [
    pytest.mark.real_models,
    pytest.mark.skipif(not DATA.is_dir(), reason="needs LLMAAS_EVAL_DATA"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, embedded_store: Store) -> Iterator[Client]:
    folder = tmp_path_factory.mktemp("server")
    with (
        serving(folder, embedded_store.cache) as server,
        Client(server.base_url, api_key=server.key) as client,
    ):
        yield client


def test_topics(client: Client) -> None:
    rows = evaluation.sample(evaluation.labelled(DATA / "bbc" / "bbc_topics.jsonl.gz"), 60)
    report = evaluation.classify(client, rows, labels=sorted({row.label for row in rows}))
    majority, chance = report.baselines
    assert report.accuracy.low > majority.accuracy > chance.accuracy
    assert report.macro_f1 > 0.7


def test_comments(client: Client) -> None:
    file = DATA / "bias_madlibs" / "bias_madlibs_77k.jsonl.gz"
    rows = evaluation.sample(evaluation.cases(file, label="label"), 150, seed=1)
    report = evaluation.fairness(
        client,
        rows,
        positive="toxic",
        labels=["toxic", "not toxic"],
        groups=evaluation.chosen(["religion", "gender"]),
    )
    assert report.subgroups is not None
    assert report.subgroups.overall is not None
    assert report.subgroups.overall.low > 0.8
    assert {group.group for group in report.groups if group.rows} == {"religion", "gender"}


def test_pronouns(client: Client) -> None:
    rows: list[evaluation.Case] = []
    with gzip.open(DATA / "winogender" / "winogender.jsonl.gz", "rt") as lines:
        for line in list(lines)[:60]:
            row = json.loads(line)
            name, who = row["sentid"].removesuffix(".txt").rsplit(".", 1)
            rows.append(evaluation.Case(row["sentence"], None, name, name, who))
    labels = {"leader": "somebody who leads", "helper": "somebody who helps"}
    report = evaluation.fairness(client, rows, positive="leader", labels=labels)
    (group,) = report.groups
    assert (group.rows, group.variants) == (20, 40)
    assert [one.target for one in group.targets] == ["female", "neutral"]


def test_dialogues(client: Client) -> None:
    pytest.importorskip("rouge_score")
    file = DATA / "dialogsum" / "dialogsum_test500.jsonl.gz"
    rows = evaluation.sample(evaluation.referenced(file, "document", ["references"]), 12)
    report = evaluation.summarize(client, rows, length="short")
    assert report.several_references == 12
    assert report.coverage == 1.0
    assert report.supported is not None
    assert report.supported.value == 1.0  # sentences of the source itself
    assert report.systems[0].rouge1.value > 0.2
