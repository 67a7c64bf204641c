"""The seq2seq lane: greedy output is that of `transformers.generate`, alone and in company."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from llmaas_server.errors import Problem
from llmaas_server.runtime.lane import Job, Output
from llmaas_server.runtime.lanes.seq2seq import Seq2SeqLane
from llmaas_server.runtime.loader import LoadedModel, load
from llmaas_server.runtime.request import Finish, Finished, Generation, Sampling, Token
from llmaas_server.seam.values import ModelRef, WorkerOptions
from support import tiny

OPTIONS = WorkerOptions(device="cpu", max_step_tokens=64)
GREEDY = Sampling(temperature=0.0)

SOURCES = (
    "I love Python.",
    "The quick brown fox jumps over the lazy dog, and the dog does not mind at all.",
    "今天天气很好。",
    "This film was great; that one was terrible! " * 3,
    "x",
    "Language models read tokens and write tokens, one at a time.",
)

FAMILIES: dict[str, Callable[..., ModelRef]] = {"bart": tiny.bart, "t5": tiny.t5}


def loaded(family: str, factory: pytest.TempPathFactory) -> LoadedModel:
    return load(FAMILIES[family](factory.mktemp(family)), OPTIONS, lambda share: None)


@pytest.fixture(scope="module")
def bart(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded("bart", tmp_path_factory)


@pytest.fixture(scope="module")
def t5(tmp_path_factory: pytest.TempPathFactory) -> LoadedModel:
    return loaded("t5", tmp_path_factory)


@pytest.fixture(params=FAMILIES, ids=str)
def model(request: pytest.FixtureRequest) -> LoadedModel:
    found: LoadedModel = request.getfixturevalue(request.param)
    return found


def generation(
    model: LoadedModel, text: str, max_tokens: int = 12, sampling: Sampling = GREEDY
) -> Generation:
    prompt = tuple(model.tokenizer.encode(text))
    return Generation(prompt, max_tokens, sampling, model.stop_ids)


def drain(lane: Seq2SeqLane, outputs: dict[int, list[Output]]) -> dict[int, list[Output]]:
    while lane.busy:
        for output in lane.step():
            outputs.setdefault(output.job_id, []).append(output)
        lane.check()
    return outputs


def run(lane: Seq2SeqLane, *works: Generation) -> list[tuple[list[int], Finished]]:
    """Tokens and end of each."""
    for id, work in enumerate(works):
        lane.submit(Job(id, work, submitted=0.0))
    outputs = drain(lane, {})
    found = []
    for id in range(len(works)):
        assert [output.done for output in outputs[id]] == [False] * (len(outputs[id]) - 1) + [True]
        items = [item for output in outputs[id] for item in output.items]
        *tokens, finished = items
        assert isinstance(finished, Finished)
        assert all(isinstance(token, Token) for token in tokens)
        found.append(([token.id for token in tokens], finished))
    return found


def reference(model: LoadedModel, work: Generation, **options: Any) -> list[int]:
    """What transformers generates, without the start token and the last one where it stops."""
    with torch.inference_mode():
        ids: list[int] = model.module.generate(
            torch.tensor([work.prompt]),
            do_sample=False,
            num_beams=1,
            max_new_tokens=work.max_tokens,
            **options,
        )[0, 1:].tolist()
    stop = next((i for i, token in enumerate(ids) if token in work.stop_ids), len(ids))
    return ids[:stop]


def test_greedy_is_that_of_transformers(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, OPTIONS)
    texts: set[tuple[int, ...]] = set()
    for source in SOURCES:
        work = generation(model, source)
        [(tokens, finished)] = run(lane, work)
        assert tokens == reference(model, work)
        assert finished.completion_tokens == len(tokens)
        assert finished.prompt_tokens == len(work.prompt)
        texts.add(tuple(tokens))
    assert len(texts) > 1


def test_company_changes_nothing(model: LoadedModel) -> None:
    works = [generation(model, s, max_tokens=5 + i) for i, s in enumerate(SOURCES * 2)]
    together = run(Seq2SeqLane(model, OPTIONS), *works)
    for work, (tokens, _) in zip(works, together, strict=True):
        assert tokens == reference(model, work)


def test_a_seed_draws_the_same_alone_and_in_company(model: LoadedModel) -> None:
    sampling = Sampling(temperature=1.5, seed=11)
    work = generation(model, SOURCES[0], sampling=sampling)
    others = [
        generation(model, s, sampling=replace(sampling, seed=i)) for i, s in enumerate(SOURCES)
    ]
    alone = run(Seq2SeqLane(model, OPTIONS), work)[0][0]
    company = run(Seq2SeqLane(model, OPTIONS), *others, work)
    assert company[-1][0] == alone
    assert any(tokens != alone for tokens, _ in company)


def test_forced_tokens_begin_and_end_an_answer(bart: LoadedModel) -> None:
    work = replace(generation(bart, SOURCES[1], max_tokens=6), stop_ids=frozenset())
    [(tokens, _)] = run(Seq2SeqLane(bart, OPTIONS), work)
    config = bart.module.generation_config
    assert tokens[0] == config.forced_bos_token_id
    assert tokens[-1] == config.forced_eos_token_id
    assert len(tokens) == 6


def test_an_end_that_the_limit_forces_is_its_length(bart: LoadedModel, t5: LoadedModel) -> None:
    work = generation(bart, SOURCES[1], max_tokens=6)
    [(tokens, finished)] = run(Seq2SeqLane(bart, OPTIONS), work)
    assert (len(tokens), finished.reason) == (5, Finish.LENGTH)
    works = [generation(t5, source) for source in SOURCES]
    for tokens, finished in run(Seq2SeqLane(t5, OPTIONS), *works):
        assert finished.reason is (Finish.LENGTH if len(tokens) == 12 else Finish.STOP)


@pytest.mark.parametrize("option", ["no_repeat_ngram_size", "bad_words_ids", "suppress_tokens"])
def test_the_generation_config_is_honoured(
    model: LoadedModel, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = [generation(model, source) for source in SOURCES]
    free = [tokens for tokens, _ in run(Seq2SeqLane(model, OPTIONS), *works)]
    often = Counter(token for tokens in free for token in tokens[1:]).most_common(1)[0][0]
    value = {
        "no_repeat_ngram_size": 2,
        "bad_words_ids": [[often, often]],
        "suppress_tokens": [often],
    }[option]
    want = [reference(model, work, **{option: value}) for work in works]
    monkeypatch.setattr(model.module.generation_config, option, value)
    assert [tokens for tokens, _ in run(Seq2SeqLane(model, OPTIONS), *works)] == want
    assert want != free


@pytest.mark.parametrize("option", ["min_length", "min_new_tokens", "begin_suppress_tokens"])
def test_the_generation_config_can_keep_an_answer_from_ending(
    t5: LoadedModel, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    works = [generation(t5, source) for source in SOURCES]
    free = [tokens for tokens, _ in run(Seq2SeqLane(t5, OPTIONS), *works)]
    assert [] in free
    value = sorted(t5.stop_ids) if option == "begin_suppress_tokens" else 5
    want = [reference(t5, work, **{option: value}) for work in works]
    monkeypatch.setattr(t5.module.generation_config, option, value)
    got = [tokens for tokens, _ in run(Seq2SeqLane(t5, OPTIONS), *works)]
    assert got == want
    assert [] not in got


def test_no_ngram_is_repeated_where_the_config_forbids_it(
    bart: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = generation(bart, SOURCES[0], max_tokens=20)
    [(free, _)] = run(Seq2SeqLane(bart, OPTIONS), work)
    monkeypatch.setattr(bart.module.generation_config, "no_repeat_ngram_size", 1)
    [(bound, _)] = run(Seq2SeqLane(bart, OPTIONS), work)
    assert len(set(free)) < len(free)
    assert len(set(bound)) == len(bound)


def test_a_least_length_beyond_the_callers_limit_is_ignored(
    bart: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = generation(bart, SOURCES[0], max_tokens=6)
    plain = run(Seq2SeqLane(bart, OPTIONS), work)[0][0]
    monkeypatch.setattr(bart.module.generation_config, "min_length", 100)
    assert run(Seq2SeqLane(bart, OPTIONS), work)[0][0] == plain


def test_logprobs_come_where_they_are_asked_for(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, OPTIONS)
    lane.submit(Job(0, replace(generation(model, SOURCES[0]), top_logprobs=2), submitted=0.0))
    items = [item for output in drain(lane, {})[0] for item in output.items]
    tokens = [item for item in items if isinstance(item, Token)]
    assert tokens
    for token in tokens:
        assert token.logprob is not None
        assert token.top[0][0] == token.id
        assert token.top[0][1] == pytest.approx(token.logprob)


# --- steps --------------------------------------------------------------------------------------


def endless(model: LoadedModel, tokens: int, source: int = 4) -> Generation:
    return Generation(tuple([7] * source), tokens, GREEDY, frozenset())


def test_a_step_brings_one_token_for_each_sequence(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, OPTIONS)
    for id in range(3):
        lane.submit(Job(id, endless(model, 5), submitted=0.0))
    for _ in range(5):
        outputs = lane.step()
        assert sorted(output.job_id for output in outputs) == [0, 1, 2]
        assert all(isinstance(output.items[0], Token) for output in outputs)
    assert not lane.busy


def test_beginning_and_running_take_turns(model: LoadedModel) -> None:
    """Long sources are encoded one in a step, and what runs goes on in between."""
    lane = Seq2SeqLane(model, OPTIONS)
    for id in range(4):
        lane.submit(Job(id, endless(model, 30, source=60), submitted=0.0))
    stepped = [sorted(output.job_id for output in lane.step()) for _ in range(7)]
    assert stepped == [[0], [0], [1], [0, 1], [2], [0, 1, 2], [3]]


def test_more_sequences_than_a_step_takes_go_in_turn(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, OPTIONS)
    for id in range(12):
        lane.submit(Job(id, endless(model, 4), submitted=0.0))
    outputs = drain(lane, {})
    assert all(len(outputs[id]) == 4 for id in range(12))


def test_the_number_of_sequences_is_bounded(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, WorkerOptions(device="cpu", max_sequences=2))
    for id in range(3):
        lane.submit(Job(id, endless(model, 4), submitted=0.0))
    seen = [sorted(output.job_id for output in lane.step()) for _ in range(5)]
    assert seen == [[0, 1], [0, 1], [0, 1], [0, 1], [2]]


def test_an_aborted_job_is_gone(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, WorkerOptions(device="cpu", max_sequences=1))
    for id in range(3):
        lane.submit(Job(id, endless(model, 4), submitted=0.0))
    lane.step()
    lane.abort(0)
    lane.abort(1)
    lane.abort(1)
    assert list(drain(lane, {})) == [2]


def test_memory_is_bounded(model: LoadedModel) -> None:
    work = endless(model, 4)
    small = Seq2SeqLane(model, WorkerOptions(device="cpu", kv_bytes=1000))
    with pytest.raises(Problem) as caught:
        small.submit(Job(0, work, submitted=0.0))
    assert caught.value.code == "out_of_memory"
    lane = Seq2SeqLane(model, WorkerOptions(device="cpu", kv_bytes=10_000))
    for id in range(8):
        lane.submit(Job(id, work, submitted=0.0))
    assert len(lane.step()) < 8
    assert len(drain(lane, {})) == 8


def test_numbers_that_are_none_fail_one_job_alone(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = model.module.forward

    def broken(encoder_outputs: Any, **others: Any) -> Any:
        output = forward(encoder_outputs=encoder_outputs, **others)
        if encoder_outputs.last_hidden_state.shape[1] == 9:
            output.logits[:] = torch.nan
        return output

    lane = Seq2SeqLane(model, OPTIONS)
    monkeypatch.setattr(model.module, "forward", broken)
    lane.submit(Job(0, endless(model, 3), submitted=0.0))
    lane.submit(Job(1, endless(model, 3, source=9), submitted=0.0))
    outputs = drain(lane, {})
    assert all(output.problem is None for output in outputs[0])
    assert outputs[1][-1].problem is not None
    assert outputs[1][-1].done


def test_what_cannot_be_computed_fails_one_job_alone(model: LoadedModel) -> None:
    lane = Seq2SeqLane(model, OPTIONS)
    lane.submit(Job(0, endless(model, 3), submitted=0.0))
    lane.submit(Job(1, Generation((7, 10**6), 3, GREEDY), submitted=0.0))
    outputs = drain(lane, {})
    assert len(outputs[0]) == 3
    assert [output.problem is not None for output in outputs[1]] == [True]


# --- refusals -----------------------------------------------------------------------------------


def test_a_source_beyond_the_context_is_refused(bart: LoadedModel) -> None:
    lane = Seq2SeqLane(bart, OPTIONS)
    for work in (endless(bart, 4, source=257), endless(bart, 257)):
        with pytest.raises(Problem, match=r"257.*256") as caught:
            lane.submit(Job(0, work, submitted=0.0))
        assert caught.value.code == "context_overflow"
    assert not lane.busy


def test_a_model_without_a_start_token_is_refused(
    model: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model.module.generation_config, "decoder_start_token_id", None)
    monkeypatch.setattr(model.module.generation_config, "bos_token_id", None)
    with pytest.raises(Problem) as caught:
        Seq2SeqLane(model, OPTIONS)
    assert caught.value.code == "model_cannot_do_task"
