"""The encode lane: what it computes in company is what a text gives alone."""

from __future__ import annotations

import random
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.lanes.encode import EncodeLane
from llmaas_server.runtime.loader import LoadedModel, load
from llmaas_server.runtime.request import Encoding
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny

OPTIONS = WorkerOptions(device="cpu", max_step_tokens=64)

TEXTS = (
    "I love Python.",
    "I hate waiting.",
    "This film was great; that one was terrible!",
    "今天天气很好。",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all. " * 2,
    "x",
    "Language models read tokens and write tokens, one at a time.",
)


def loaded(ref: ModelRef) -> LoadedModel:
    return load(ref, OPTIONS, lambda share: None)


@pytest.fixture(scope="module")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded(tiny.embedder(tmp_path_factory.mktemp("embedder")))


@pytest.fixture(scope="module")
def nli(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded(tiny.nli(tmp_path_factory.mktemp("nli")))


@pytest.fixture(scope="module")
def bart_nli(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded(tiny.bart_nli(tmp_path_factory.mktemp("bart-nli")))


def of_texts(model: LoadedModel, texts: Iterable[str], *, head: bool = False) -> Encoding:
    return Encoding(tuple((tuple(model.tokenizer.encode(text)), None) for text in texts), head)


def of_pairs(model: LoadedModel, pairs: Iterable[tuple[str, str]]) -> Encoding:
    encoded = (model.tokenizer.encode_pair(*pair) for pair in pairs)
    return Encoding(tuple((tuple(ids), tuple(types)) for ids, types in encoded), head=True)


def submit(lane: EncodeLane, *encodings: Encoding) -> None:
    for id, encoding in enumerate(encodings):
        lane.submit(Job(id, encoding, submitted=0.0))


def drain(lane: EncodeLane) -> dict[int, Output]:
    outputs: dict[int, Output] = {}
    while lane.busy:
        outputs |= {output.job_id: output for output in lane.step()}
        lane.check()
    return outputs


def results(lane: EncodeLane, *encodings: Encoding) -> list[Any]:
    submit(lane, *encodings)
    outputs = drain(lane)
    assert all(output.done and output.problem is None for output in outputs.values())
    return [outputs[id].items[0] for id in range(len(encodings))]


def plain(model: LoadedModel, encoding: Encoding) -> Any:
    """transformers' own forward pass, one sequence at a time: hidden states or logits."""
    rows = []
    for ids, types in encoding.sequences:
        inputs: dict[str, Any] = {"input_ids": torch.tensor([ids])}
        if types is not None and model.module.config.model_type == "bert":
            inputs["token_type_ids"] = torch.tensor([types])
        with torch.inference_mode():
            output = model.module(**inputs)
        rows.append(output.logits[0] if encoding.head else output.last_hidden_state[0])
    return rows


def unit(vector: Any) -> Any:
    return vector / vector.norm()


def test_vectors_are_means_of_length_one(embedder: LoadedModel) -> None:
    encoding = of_texts(embedder, TEXTS)
    [got] = results(EncodeLane(embedder, OPTIONS), encoding)
    want = torch.stack([unit(hidden.mean(0)) for hidden in plain(embedder, encoding)])
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, want, atol=1e-5)
    assert np.abs(got[0] - got[1]).max() > 1e-2


@pytest.mark.parametrize("pooling", ["cls", "max"])
def test_pooling_is_what_the_files_name(tmp_path: Path, pooling: str) -> None:
    model = loaded(tiny.embedder(tmp_path, pooling=pooling))
    encoding = of_texts(model, TEXTS)
    [got] = results(EncodeLane(model, OPTIONS), encoding)
    hidden = plain(model, encoding)
    rows = [unit(h[0] if pooling == "cls" else h.amax(0)) for h in hidden]
    np.testing.assert_allclose(got, torch.stack(rows), atol=1e-5)


def test_logits_are_those_of_transformers(nli: LoadedModel) -> None:
    encoding = of_texts(nli, TEXTS, head=True)
    [got] = results(EncodeLane(nli, OPTIONS), encoding)
    assert got.shape == (len(TEXTS), 3)
    np.testing.assert_allclose(got, torch.stack(plain(nli, encoding)), atol=1e-5)


@pytest.mark.parametrize("fixture", ["nli", "bart_nli"])
def test_pairs_and_single_texts_share_a_lane(fixture: str, request: pytest.FixtureRequest) -> None:
    model: LoadedModel = request.getfixturevalue(fixture)
    pairs = of_pairs(model, [(text, "This example is great.") for text in TEXTS])
    texts = of_texts(model, TEXTS, head=True)
    got_pairs, got_texts = results(EncodeLane(model, OPTIONS), pairs, texts)
    np.testing.assert_allclose(got_pairs, torch.stack(plain(model, pairs)), atol=1e-5)
    np.testing.assert_allclose(got_texts, torch.stack(plain(model, texts)), atol=1e-5)


def test_token_types_count(nli: LoadedModel) -> None:
    pairs = of_pairs(nli, [("I love Python.", "It is great.")])
    flat = Encoding(tuple((ids, None) for ids, _ in pairs.sequences), head=True)
    with_types, without = results(EncodeLane(nli, OPTIONS), pairs, flat)
    assert np.abs(with_types - without).max() > 1e-3


def test_company_changes_nothing(embedder: LoadedModel) -> None:
    draw = random.Random(5)
    jobs = [
        of_texts(
            embedder, [" ".join(draw.choices(TEXTS[:4], k=draw.randint(1, 4))) for _ in range(9)]
        )
        for _ in range(6)
    ]
    together = results(EncodeLane(embedder, OPTIONS), *jobs)
    for job, got in zip(jobs, together, strict=True):
        alone = [
            results(EncodeLane(embedder, OPTIONS), Encoding((sequence,), head=False))[0][0]
            for sequence in job.sequences
        ]
        np.testing.assert_allclose(got, np.stack(alone), atol=1e-5)


# --- steps --------------------------------------------------------------------------------------


class Watched:
    """A module that notes the shape of each batch."""

    def __init__(self, model: LoadedModel, monkeypatch: pytest.MonkeyPatch) -> None:
        self.shapes: list[tuple[int, int]] = []
        self.paddings: list[float] = []
        forward = model.module.forward

        def watched(input_ids: Any, attention_mask: Any, **others: Any) -> Any:
            self.shapes.append(tuple(input_ids.shape))
            self.paddings.append(1 - float(attention_mask.float().mean()))
            return forward(input_ids=input_ids, attention_mask=attention_mask, **others)

        monkeypatch.setattr(model.module, "forward", watched)


def of_lengths(*lengths: int) -> Encoding:
    return Encoding(tuple((tuple([2] + [7] * (n - 1)), None) for n in lengths), head=False)


def test_steps_are_bounded_and_hold_little_padding(
    embedder: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    lane = EncodeLane(embedder, OPTIONS)
    watched = Watched(embedder, monkeypatch)
    results(lane, of_lengths(*range(2, 60)), of_lengths(3, 100, 17))
    assert all(rows * tokens <= 64 or rows == 1 for rows, tokens in watched.shapes)
    assert (1, 100) in watched.shapes
    assert max(rows for rows, _ in watched.shapes) >= 8
    long = zip(watched.shapes, watched.paddings, strict=True)
    assert all(padding < 0.5 for (_, tokens), padding in long if tokens > 16)


def test_a_small_job_does_not_wait_for_a_large_one(embedder: LoadedModel) -> None:
    lane = EncodeLane(embedder, OPTIONS)
    submit(lane, of_lengths(*[30] * 20), of_lengths(5))
    ended = [{output.job_id for output in lane.step()} for _ in range(2)]
    assert ended == [set(), {1}]
    assert list(drain(lane)) == [0]


def test_jobs_of_one_bucket_share_a_step(embedder: LoadedModel) -> None:
    lane = EncodeLane(embedder, OPTIONS)
    submit(lane, *[of_lengths(6)] * 8)
    assert {output.job_id for output in lane.step()} == set(range(8))
    assert not lane.busy


def test_an_aborted_job_is_gone(embedder: LoadedModel) -> None:
    lane = EncodeLane(embedder, OPTIONS)
    submit(lane, of_lengths(*[30] * 20), of_lengths(5))
    lane.step()
    lane.abort(0)
    lane.abort(0)
    assert list(drain(lane)) == [1]
    assert not lane.busy
    lane.check()


def test_numbers_that_are_none_fail_one_job_alone(
    embedder: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = embedder.module.forward

    def broken(input_ids: Any, **others: Any) -> Any:
        output = forward(input_ids=input_ids, **others)
        output.last_hidden_state[(input_ids == 9).any(1)] = torch.nan
        return output

    lane = EncodeLane(embedder, OPTIONS)
    monkeypatch.setattr(embedder.module, "forward", broken)
    submit(lane, of_lengths(4), Encoding((((2, 9, 3), None),), head=False))
    outputs = drain(lane)
    assert outputs[0].problem is None
    assert outputs[1].problem is not None
    assert (outputs[1].problem.code, outputs[1].done) == ("internal_error", True)


def test_what_cannot_be_computed_fails_one_job_alone(embedder: LoadedModel) -> None:
    """An id beyond the vocabulary fails the whole batch; the others are computed again."""
    lane = EncodeLane(embedder, OPTIONS)
    submit(lane, of_lengths(4), Encoding((((2, 10**6, 3), None),), head=False), of_lengths(4))
    outputs = {output.job_id: output for output in lane.step()}
    assert outputs[1].problem is not None
    assert outputs[1].problem.code == "internal_error"
    np.testing.assert_array_equal(outputs[0].items[0], outputs[2].items[0])
    assert not lane.busy


def test_a_model_that_cannot_pad_runs_one_row_at_a_time(
    embedder: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedder.module.config, "pad_token_id", None)
    lane = EncodeLane(embedder, OPTIONS)
    watched = Watched(embedder, monkeypatch)
    results(lane, of_lengths(4, 5, 6))
    assert watched.shapes == [(1, 4), (1, 5), (1, 6)]


# --- refusals -----------------------------------------------------------------------------------


def test_a_text_beyond_the_context_is_refused_with_both_numbers(embedder: LoadedModel) -> None:
    lane = EncodeLane(embedder, OPTIONS)
    with pytest.raises(Problem, match=r"129.*128") as caught:
        submit(lane, of_lengths(129))
    assert caught.value.code == "context_overflow"
    assert not lane.busy


@pytest.mark.parametrize("sequences", [(), (((), None),), (((2, 3), None), ((), None))])
def test_no_tokens_are_refused(embedder: LoadedModel, sequences: Any) -> None:
    with pytest.raises(Problem) as caught:
        submit(EncodeLane(embedder, OPTIONS), Encoding(sequences, head=False))
    assert caught.value.code == "empty_text"


def test_an_encoder_has_no_head(embedder: LoadedModel) -> None:
    with pytest.raises(Problem) as caught:
        submit(EncodeLane(embedder, OPTIONS), of_texts(embedder, ["hi"], head=True))
    assert caught.value.code == "model_has_no_head"


def test_an_encoder_decoder_is_no_embedder(tmp_path: Path) -> None:
    ref = tiny.t5(tmp_path)
    with pytest.raises(Problem) as caught:
        EncodeLane(loaded(ModelRef(ref.name, ref.path, "encoder")), OPTIONS)
    assert caught.value.code == "model_cannot_do_task"


# --- the real model -----------------------------------------------------------------------------


@pytest.mark.real_models
def test_the_embedded_model_gives_its_own_vectors(embedding_ref: ModelRef) -> None:
    model = loaded(embedding_ref)
    encoding = of_texts(model, TEXTS)
    [got] = results(EncodeLane(model, WorkerOptions(device="cpu")), encoding)
    want = torch.stack([unit(hidden.mean(0)) for hidden in plain(model, encoding)])
    np.testing.assert_allclose(got, want, atol=1e-5)
