"""Classify over a fake runtime: which way, what is refused, how scores are read."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from llmaas_server.errors import Problem
from llmaas_server.tasks.classifiers import base, embedding, nli
from llmaas_server.tasks.classifiers.decision import decide
from support.fake_runtime import FakeModel, FakeRuntime, bag_of_words, fake_model
from support.tasks import read_request, run_task

NLI = ("contradiction", "neutral", "entailment")
SENTIMENT = ("negative", "positive")


def problem_of(model: FakeModel, **request: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        read_request("classify", model, **{"text": "some text", **request})
    return caught.value


# --- reading scores -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "multi", "top_k", "threshold", "label", "labels", "shown"),
    [
        ((0.2, 0.7, 0.1), False, None, None, "b", ["b"], ["b", "a", "c"]),
        ((0.2, 0.7, 0.1), False, 1, None, "b", ["b"], ["b"]),
        ((0.2, 0.7, 0.1), False, None, 0.7, "b", ["b"], ["b", "a", "c"]),
        ((0.2, 0.7, 0.1), False, None, 0.71, None, [], ["b", "a", "c"]),
        ((0.4, 0.4, 0.2), False, None, None, "a", ["a"], ["a", "b", "c"]),
        ((0.9, 0.2, 0.5), True, None, None, "a", ["a", "c"], ["a", "c", "b"]),
        ((0.9, 0.2, 0.5), True, 1, 0.1, "a", ["a", "c", "b"], ["a"]),
        ((0.3, 0.2, 0.1), True, None, None, None, [], ["a", "b", "c"]),
    ],
)
def test_decide(
    scores: tuple[float, ...],
    multi: bool,
    top_k: int | None,
    threshold: float | None,
    label: str | None,
    labels: list[str],
    shown: list[str],
) -> None:
    answer = decide("abc", scores, multi, top_k, threshold)
    assert answer["label"] == label
    assert answer["labels"] == labels
    assert answer["abstained"] == (label is None)
    assert [item["label"] for item in answer["scores"]] == shown
    assert answer["score"] == max(scores)


# --- by embeddings ------------------------------------------------------------------------------


async def test_the_nearest_label_wins() -> None:
    outcome = await run_task(
        "classify",
        fake_model(),
        FakeRuntime(),
        text=["the match and the goal", "the stock and the bank"],
        labels={"sport": "match goal team", "business": "stock bank money"},
    )
    assert [item.label for item in outcome.wire.results] == ["sport", "business"]
    assert outcome.wire.method == "embedding"
    assert sum(outcome.wire.scores.values()) == pytest.approx(1.0)
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


async def test_labels_are_embedded_once() -> None:
    runtime, model = FakeRuntime(), fake_model()
    texts = ["one text", "another", "a third"]
    first = await run_task("classify", model, runtime, text=texts, labels=["x", "y"])
    runtime.embedded.clear()
    again = await run_task("classify", model, runtime, text=texts, labels=["x", "y"])
    assert sum(len(chunk) for chunk in runtime.embedded) == len(texts)
    assert again.wire.results == first.wire.results
    assert again.result.usage == first.result.usage


async def test_what_one_tenant_asked_is_not_faster_for_another() -> None:
    runtime, model = FakeRuntime(), fake_model()
    await run_task("classify", model, runtime, text="a", labels=["x", "y"], tenant="t")
    runtime.embedded.clear()
    await run_task("classify", model, runtime, text="a", labels=["x", "y"], tenant="u")
    read = {runtime.tokenizer.decode(ids) for chunk in runtime.embedded for ids in chunk}
    assert {"x", "y"} < read


async def test_a_label_near_to_everything_does_not_win_for_that() -> None:
    """`the of and` shares words with every neutral sentence, `rugby` with none."""
    labels = {"everything": "the of in and a to is was", "rugby": "rugby"}
    text = "the result of the rugby in a town"
    outcome = await run_task("classify", fake_model(), FakeRuntime(), text=text, labels=labels)
    vectors = [bag_of_words(words) for words in labels.values()]
    near = [float(bag_of_words(text) @ vector) for vector in vectors]
    gap = 20.0 * (near[0] - near[1])
    scores = outcome.wire.scores
    assert math.log(scores["everything"] / scores["rugby"]) < gap - 1.0


async def test_multi_judges_labels_alone() -> None:
    request: dict[str, Any] = {"text": "the match and the goal", "multi": True}
    both = await run_task(
        "classify", fake_model(), FakeRuntime(), **request, labels=["match goal", "bank"]
    )
    one = await run_task("classify", fake_model(), FakeRuntime(), **request, labels=["match goal"])
    assert both.wire.results[0].labels == ["match goal"]
    assert both.wire.scores["match goal"] == pytest.approx(one.wire.score)


def test_scores_grow_with_the_cosine() -> None:
    cosines = np.array([[-1.0, 0.0, embedding.CENTRE, 0.5, 1.0]])
    for multi in (False, True):
        scores = embedding.score(cosines, np.zeros(5), multi)[0]
        assert (np.diff(scores) > 0).all()
        assert ((scores >= 0) & (scores <= 1)).all()
    assert embedding.score(cosines, np.zeros(5), True)[0, 2] == pytest.approx(0.5)
    moved = embedding.score(cosines + 0.1, np.full(5, 0.1), False)
    assert moved == pytest.approx(embedding.score(cosines, np.zeros(5), False))


async def test_a_long_text_is_read_whole() -> None:
    runtime = FakeRuntime()
    text = "bank " * 30 + "goal " * 300
    outcome = await run_task(
        "classify", fake_model(context=50), runtime, text=text, labels=["bank", "goal"]
    )
    assert outcome.wire.label == "goal"
    read = "".join(runtime.tokenizer.decode(ids) for chunk in runtime.embedded for ids in chunk)
    assert read.endswith(text)
    assert outcome.wire.results[0].windows == 35  # of at most 48 characters


async def test_a_head_reads_a_long_text_in_windows() -> None:
    """Its logits are the mean over windows, weighted by their tokens."""
    seen: list[str] = []

    def logits(text: str) -> tuple[float, float]:
        seen.append(text)
        return (float(text.count("a")), 0.0)

    model = fake_model("classifier", labels=SENTIMENT, context=10)
    outcome = await run_task(
        "classify", model, FakeRuntime(logits=logits), text=["ab" * 8 + "aaaa", "b"]
    )
    assert "".join(seen) == "ab" * 8 + "aaaab"
    whole = seen[:-1]
    expected = sum(text.count("a") * (len(text) + 2) for text in whole) / sum(
        len(text) + 2 for text in whole
    )
    first, second = outcome.wire.results
    assert (first.windows, second.windows) == (len(whole), 1)
    negative = next(item.score for item in first.scores if item.label == "negative")
    assert negative == pytest.approx(1 / (1 + math.exp(-expected)))


@pytest.mark.parametrize(
    ("labels", "template", "expected"),
    [
        (["a", " c "], "It is {}!", ["It is a!", "It is c!"]),
        ({"a": "about a", "c": " about c"}, None, ["about a", "about c"]),
        ({"a": "bad", "c": "good"}, "It is {}!", ["It is bad!", "It is good!"]),
    ],
)
def test_what_the_caller_wrote_stands_alone(
    labels: Any, template: str | None, expected: list[str]
) -> None:
    model = fake_model()
    prompt = read_request("classify", model, text="x", labels=labels, hypothesis_template=template)
    assert [word.phrases for word in prompt.scoring.words] == [((text, 1.0),) for text in expected]
    assert not any(word.sense for word in prompt.scoring.words)
    assert prompt.scoring.labels == tuple(labels)


def test_what_we_add_to_labels_is_not_charged() -> None:
    model = fake_model()
    prompt = read_request("classify", model, text="some text", labels=["positive", "negative"])
    given = ["some text", "positive", "negative"]
    assert prompt.prompt_tokens == sum(len(model.tokenizer.encode(text)) for text in given)


async def test_a_thousand_labels() -> None:
    labels = [f"label {i}" for i in range(1000)]
    outcome = await run_task(
        "classify", fake_model(), FakeRuntime(), text="this is label 77", labels=labels
    )
    assert outcome.wire.label == "label 77"
    assert len(outcome.wire.scores) == 1000


# --- by a head ----------------------------------------------------------------------------------


async def test_a_head_needs_no_labels() -> None:
    runtime = FakeRuntime(logits=lambda text: (0.0, math.log(3.0)))
    model = fake_model("classifier", labels=SENTIMENT)
    outcome = await run_task("classify", model, runtime, text=["good", "fine"])
    assert outcome.wire.method == "head"
    assert outcome.wire.results[1].scores[0].score == pytest.approx(0.75)
    assert outcome.wire.label == "positive"


async def test_a_head_is_restricted_to_the_labels_asked_for() -> None:
    runtime = FakeRuntime(logits=lambda text: (5.0, 0.0, math.log(3.0)))
    model = fake_model("classifier", labels=("joy", "fear", "anger"))
    outcome = await run_task("classify", model, runtime, text="x", labels=["anger", "fear"])
    assert outcome.wire.scores == pytest.approx({"anger": 0.75, "fear": 0.25})


@pytest.mark.parametrize(("multi", "multi_label"), [(True, False), (False, True)])
async def test_independent_classes(multi: bool, multi_label: bool) -> None:
    runtime = FakeRuntime(logits=lambda text: (2.0, 1.0, -4.0))
    model = fake_model("classifier", labels=("a", "b", "c"), multi_label=multi_label)
    outcome = await run_task("classify", model, runtime, text="x", multi=multi)
    assert outcome.wire.results[0].labels == ["a", "b"]
    assert outcome.wire.score == pytest.approx(1 / (1 + math.exp(-2)))


def test_a_head_knows_its_own_labels_only() -> None:
    model = fake_model("classifier", labels=SENTIMENT)
    problem = problem_of(model, labels=["positive", "sports"])
    assert (problem.code, problem.param) == ("unsupported_parameter", "labels")
    assert "'sports'" in problem.message
    assert "'negative', 'positive'" in problem.hint
    described = problem_of(model, labels={"positive": "good", "negative": "bad"})
    assert (described.code, described.param) == ("unsupported_parameter", "labels")


def test_a_head_has_no_use_for_a_template() -> None:
    model = fake_model("classifier", labels=SENTIMENT)
    problem = problem_of(model, hypothesis_template="It is {}.")
    assert (problem.code, problem.param) == ("unsupported_parameter", "hypothesis_template")


def test_regression_is_refused() -> None:
    assert problem_of(fake_model("classifier", labels=("LABEL_0",))).code == "model_cannot_do_task"


# --- by entailment ------------------------------------------------------------------------------


async def test_entailment_decides() -> None:
    def logits(text: str) -> tuple[float, ...]:
        return (0.0, 0.0, 2.0) if "sport" in text else (1.0, 0.0, 1.0)

    model = fake_model("classifier", labels=NLI)
    labels = ["sport", "money"]
    outcome = await run_task("classify", model, FakeRuntime(logits=logits), text="x", labels=labels)
    assert outcome.wire.method == "nli"
    assert outcome.wire.label == "sport"
    assert outcome.wire.score == pytest.approx(1 / (1 + math.exp(-1)))
    alone = await run_task(
        "classify", model, FakeRuntime(logits=logits), text="x", labels=labels, multi=True
    )
    assert alone.wire.scores == pytest.approx({"sport": 1 / (1 + math.exp(-2)), "money": 0.5})


def test_the_hypothesis() -> None:
    model = fake_model("classifier", labels=NLI)
    for labels, template, expected in (
        (["sport"], None, "textThis example is sport."),
        (["sport"], "About {}.", "textAbout sport."),
        ({"sport": "A match."}, None, "textA match."),
    ):
        prompt = read_request(
            "classify", model, text="text", labels=labels, multi=True, hypothesis_template=template
        )
        assert model.tokenizer.decode(prompt.scoring.pairs[0][0]) == expected


@pytest.mark.parametrize(
    ("labels", "expected"),
    [(("entailment", "other"), 0), (NLI, 2), (("ENTAILS", "x"), 0), (SENTIMENT, None)],
)
def test_the_entailment_class(labels: tuple[str, ...], expected: int | None) -> None:
    assert nli.entailment_index(fake_model("classifier", labels=labels)) == expected


def test_contradiction_is_last_where_entailment_is_first() -> None:
    logits = np.array([[[1.0, 9.0, 0.0]]])
    assert nli.score(logits, 0, True)[0, 0] == pytest.approx(1 / (1 + math.exp(-1)))


async def test_without_labels_an_entailment_model_is_a_head() -> None:
    model = fake_model("classifier", labels=NLI)
    outcome = await run_task(
        "classify", model, FakeRuntime(logits=lambda _: (0.0, 1.0, 2.0)), text="x"
    )
    assert (outcome.wire.method, outcome.wire.label) == ("head", "entailment")


# --- by a chat model ----------------------------------------------------------------------------


async def test_what_a_label_gains_by_the_text_counts() -> None:
    def logprobs(prefix: str, answer: str) -> float:
        habit = {" sport": -1.0, " business news": -5.0}[answer]
        return habit + (2.0 if "bank" in prefix and "business" in answer else 0.0)

    outcome = await run_task(
        "classify",
        fake_model("decoder"),
        FakeRuntime(logprobs=logprobs),
        text=["the bank", "nothing"],
        labels=["sport", "business news"],
    )
    assert (outcome.wire.method, outcome.wire.calibration) == ("label_scoring", "contextual")
    assert outcome.wire.label == "business news"
    assert outcome.wire.score == pytest.approx(1 / (1 + math.exp(-2)))
    assert outcome.wire.results[1].score == pytest.approx(0.5)
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


async def test_yes_or_no_for_each_label() -> None:
    def logprobs(prefix: str, answer: str) -> float:
        fits = "goal" in prefix and "Label: sport" in prefix
        return 3.0 if fits and answer == " yes" else 0.0

    outcome = await run_task(
        "classify",
        fake_model("decoder"),
        FakeRuntime(logprobs=logprobs),
        text="the goal",
        labels=["sport", "money"],
        multi=True,
    )
    assert outcome.wire.scores == pytest.approx({"sport": 1 / (1 + math.exp(-3)), "money": 0.5})


def test_descriptions_are_in_the_prompt() -> None:
    model = fake_model("decoder")
    prompt = read_request(
        "classify", model, text="the text", labels={"a": "about apples", "b": "about bees"}
    )
    asked = model.tokenizer.decode(prompt.scoring.questions[1].prefix)
    assert "- a: about apples\n- b: about bees" in asked
    assert "the text" in asked
    assert asked.endswith("Label:")


# --- what is refused ----------------------------------------------------------------------------


def test_no_labels_at_all() -> None:
    for model in (fake_model(), fake_model("decoder")):
        problem = problem_of(model)
        assert (problem.code, problem.param) == ("too_few_labels", "labels")


def test_a_model_that_cannot() -> None:
    assert problem_of(fake_model("seq2seq"), labels=["a", "b"]).code == "model_cannot_do_task"
    headless = problem_of(fake_model(embeds=False), labels=["a", "b"])
    assert headless.code == "model_has_no_head"


@pytest.mark.parametrize(
    "model", [fake_model("decoder"), fake_model("classifier", labels=NLI)], ids=["decoder", "nli"]
)
def test_methods_that_read_once_per_label_take_fewer(model: FakeModel) -> None:
    problem = problem_of(model, labels=[str(i) for i in range(101)])
    assert problem.code == "too_many_labels"
    assert "101" in problem.message
    assert "100" in problem.message


def test_a_chat_model_takes_no_template() -> None:
    problem = problem_of(fake_model("decoder"), labels=["a", "b"], hypothesis_template="It is {}.")
    assert (problem.code, problem.param) == ("unsupported_parameter", "hypothesis_template")


@pytest.mark.parametrize(
    ("model", "labels"),
    [
        (fake_model("classifier", labels=NLI, context=40), ["a", "b"]),
        (fake_model("decoder", context=300), ["a", "b"]),
    ],
    ids=["nli", "label_scoring"],
)
def test_a_text_beyond_the_context(model: FakeModel, labels: list[str] | None) -> None:
    problem = problem_of(model, text=["ok", "long " * 60], labels=labels)
    assert problem.code == "context_overflow"
    assert problem.message.startswith("text[1]")
    assert str(model.context) in problem.message


def test_texts_times_labels_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "MAX_TOKENS", 1000)
    for model in (fake_model("decoder"), fake_model("classifier", labels=NLI)):
        problem = problem_of(model, text=["some text"] * 30, labels=["a", "b"])
        assert (problem.code, problem.param) == ("invalid_request", "text")
