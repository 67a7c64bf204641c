"""Explanations of every way to classify, over a fake runtime."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from llmaas_client.wire.classify import Classification
from llmaas_server.errors import Problem
from support.fake_runtime import FakeModel, FakeRuntime, bag_of_words, fake_model
from support.tasks import Outcome, read_request, run_task

TEXT = "the match and the goal, said the bank"
LABELS = {"sport": "match goal team", "business": "stock bank money"}
NLI = ("contradiction", "neutral", "entailment")


async def explained(
    model: FakeModel | None = None, runtime: FakeRuntime | None = None, **request: Any
) -> Outcome:
    fields: dict[str, Any] = {"text": TEXT, "labels": LABELS, "explain": True}
    return await run_task(
        "classify", model or fake_model(), runtime or FakeRuntime(), **fields | request
    )


def refusal(model: FakeModel | None = None, **request: Any) -> Problem:
    fields: dict[str, Any] = {"text": TEXT, "labels": LABELS, "explain": True}
    with pytest.raises(Problem) as caught:
        read_request("classify", model or fake_model(), **fields | request)
    return caught.value


async def scores_of(model: FakeModel, runtime: FakeRuntime, **request: Any) -> dict[str, float]:
    scores: dict[str, float] = (await run_task("classify", model, runtime, **request)).wire.scores
    return scores


# Every way to classify, and a runtime whose answers depend on the words.


def by_words(text: str) -> tuple[float, ...]:
    return (2.0 * text.count("goal"), 0.0, 1.0 * text.count("bank") + text.count("said"))


def by_label(text: str) -> tuple[float, ...]:
    """Of a pair: entailment of the label that is named behind the text."""
    words, _, label = text.rpartition("is")
    return (0.0, 0.0, 2.0 * words.count("goal") if "sport" in label else words.count("bank") - 0.5)


def likelihood(prompt: str, answer: str) -> float:
    text = prompt.partition("Text:\n")[2]
    for_sport = 2.0 * text.count("goal") * ("sport" in answer or "yes" in answer)
    return for_sport + text.count("bank") * ("business" in answer) - 3.0


WAYS = {
    "embedding": (fake_model(), FakeRuntime(), LABELS),
    "head": (fake_model("classifier", labels=("a", "b", "c")), FakeRuntime(logits=by_words), None),
    "nli": (
        fake_model("classifier", labels=NLI),
        FakeRuntime(logits=by_label),
        ["sport", "business"],
    ),
    "label_scoring": (
        fake_model("decoder"),
        FakeRuntime(logprobs=likelihood),
        ["sport", "business"],
    ),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("multi", [False, True])
async def test_a_word_has_what_is_lost_without_it(way: str, multi: bool) -> None:
    model, runtime, labels = WAYS[way]
    request: dict[str, Any] = {"labels": labels, "multi": multi}
    outcome = await explained(model, runtime, **request)
    assert outcome.wire.method == way
    explanation = outcome.wire.explanation
    plain = await scores_of(model, runtime, text=TEXT, **request)
    assert explanation.label == max(plain, key=plain.__getitem__)
    assert explanation.score == pytest.approx(plain[explanation.label])
    assert [word.text for word in explanation.words] == TEXT.split()
    assert explanation.word_count == len(explanation.words)
    assert not explanation.grouped
    for word in explanation.words:
        assert TEXT[word.start : word.end] == word.text
        changed = (TEXT[: word.start] + TEXT[word.end :].lstrip()).strip()
        without = await scores_of(model, runtime, text=changed, **request)
        assert word.score == pytest.approx(plain[explanation.label] - without[explanation.label])
    assert any(abs(word.score) > 0.01 for word in explanation.words)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("multi", [False, True])
async def test_a_flip_is_what_the_changed_text_is_answered(way: str, multi: bool) -> None:
    model, runtime, labels = WAYS[way]
    outcome = await explained(model, runtime, labels=labels, multi=multi)
    flip = outcome.wire.explanation.flip
    if flip is None:
        assert multi
        return
    again = await run_task("classify", model, runtime, text=flip.text, labels=labels, multi=multi)
    assert (again.wire.label, again.wire.score) == (flip.label, pytest.approx(flip.score))
    assert again.wire.results[0].labels != outcome.wire.results[0].labels
    removed = {(span.start, span.end) for span in flip.removed}
    kept = [w.text for w in outcome.wire.explanation.words if (w.start, w.end) not in removed]
    assert flip.text.split() == kept


async def test_without_the_flag_nothing_is_explained() -> None:
    for explain in (None, False):
        outcome = await explained(explain=explain)
        assert outcome.wire.explanation is None
        assert "explanation" not in outcome.result.body["results"][0]


async def test_all_words_are_left_out_in_one_batch() -> None:
    runtime, model = FakeRuntime(), fake_model()
    text = " ".join(f"word{number}" for number in range(40))
    await explained(model, runtime, text="what makes the labels known")
    runtime.embedded.clear()
    outcome = await explained(
        model, runtime, text=text, explain={"methods": ["occlusion"], "flip": False}
    )
    assert len(outcome.wire.explanation.words) == 40
    assert [len(batch) for batch in runtime.embedded] == [41]
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


async def test_the_answer_is_the_same_with_an_explanation() -> None:
    plain, rich = await explained(explain=False), await explained()
    assert rich.wire.results[0].scores == plain.wire.results[0].scores
    assert rich.wire.label == plain.wire.label


async def test_several_texts_have_their_own() -> None:
    texts = ["goal goal bank money", "stock", "a match. bank bank"]
    together = await explained(text=texts)
    for text, result in zip(texts, together.wire.results, strict=True):
        alone = (await explained(text=text)).wire.results[0]
        assert result.explanation == alone.explanation
    assert together.result.usage.prompt_tokens <= together.prompt.prompt_tokens


async def test_only_one_word() -> None:
    explanation = (await explained(text="goal")).wire.explanation
    assert [word.text for word in explanation.words] == ["goal"]
    assert explanation.flip is None


async def test_another_label_is_explained_and_lifted() -> None:
    """What speaks for the best label speaks against another: without it that one is best."""
    outcome = await explained(explain={"label": " business "})
    explanation = outcome.wire.explanation
    assert outcome.wire.label == "sport"
    assert explanation.label == "business"
    scores = {word.text: word.score for word in explanation.words}
    assert scores["bank"] > 0 > scores["goal,"]
    assert explanation.flip is not None
    assert explanation.flip.label == "business"


async def test_abstaining() -> None:
    outcome = await explained(threshold=0.999)
    explanation = outcome.wire.explanation
    assert outcome.wire.label is None
    assert explanation.label == "sport"
    assert explanation.flip is not None
    assert explanation.flip.label is None  # The other label is best now, and abstained from.
    assert explanation.flip.score < 0.999


async def test_top_k_bounds_the_scores_alone() -> None:
    outcome = await explained(top_k=1, explain={"label": "business"})
    assert len(outcome.wire.scores) == 1
    assert outcome.wire.explanation.label == "business"


async def test_a_long_text_is_grouped() -> None:
    text = " ".join(f"word{number}" for number in range(300))
    explanation = (await explained(text=text, explain={"max_units": 7})).wire.explanation
    assert len(explanation.words) == 7
    assert explanation.word_count == 300
    assert explanation.grouped
    assert " ".join(word.text for word in explanation.words) == text


async def test_gradients_are_of_the_odds_of_the_label() -> None:
    runtime = FakeRuntime()
    outcome = await explained(runtime=runtime)
    scores = outcome.wire.scores
    gradients = outcome.wire.explanation.gradients
    odds = np.log(scores["sport"] / scores["business"])
    assert gradients.value == pytest.approx(odds, abs=1e-4)
    assert sum(word.score for word in gradients.words) == pytest.approx(
        gradients.value - gradients.baseline + gradients.completeness_gap
    )
    [work] = runtime.attributed
    assert work.steps == gradients.steps == 32
    assert runtime.tokenizer.decode(work.ids) == TEXT
    assert work.replaced == (False, *[True] * len(TEXT), False)
    assert outcome.wire.explanation.completeness_gap == pytest.approx(0.0, abs=1e-6)


@pytest.mark.parametrize("way", ["embedding", "head", "nli"])
async def test_gradients_where_labels_are_judged_alone(way: str) -> None:
    model, runtime, labels = WAYS[way]
    outcome = await explained(model, runtime, labels=labels, multi=True)
    score = outcome.wire.score
    odds = np.log(score / (1 - score))
    assert outcome.wire.explanation.gradients.value == pytest.approx(odds, abs=1e-4)


async def test_gradients_alone() -> None:
    outcome = await explained(explain="integrated_gradients")
    explanation = outcome.wire.explanation
    assert explanation.method == "integrated_gradients"
    assert explanation.words == explanation.gradients.words
    assert (explanation.flip is None) == (explanation.flip_texts is None)


async def test_occlusion_alone() -> None:
    runtime = FakeRuntime()
    outcome = await explained(runtime=runtime, explain="occlusion")
    assert outcome.wire.explanation.gradients is None
    assert outcome.wire.explanation.completeness_gap is None
    assert runtime.attributed == []
    assert outcome.wire.warnings == []


@pytest.mark.parametrize(
    ("model", "request_", "why"),
    [
        (fake_model("decoder"), {"labels": ["a", "b"]}, "decoder"),
        (fake_model(context=20), {}, "context of 20"),
        (fake_model(), {"text": "goal " * 120}, "602 tokens, and 512"),
    ],
)
async def test_gradients_that_a_model_does_not_have(
    model: FakeModel, request_: dict[str, Any], why: str
) -> None:
    outcome = await explained(model, **request_)
    [warning] = outcome.wire.warnings
    assert warning.code == "gradients_left_out"
    assert why in warning.message
    assert outcome.wire.explanation.gradients is None
    assert outcome.wire.explanation.words
    problem = refusal(model, **request_, explain="integrated_gradients")
    assert (problem.code, problem.param) == ("unsupported_parameter", "explain")
    assert why in problem.message


@pytest.mark.parametrize("code", ["model_cannot_do_task", "out_of_memory"])
async def test_gradients_that_the_runtime_refuses(code: Any) -> None:
    runtime = FakeRuntime(refusal=Problem(code, "no gradients here"))
    outcome = await explained(runtime=runtime)
    assert outcome.wire.explanation.words
    assert "no gradients here" in outcome.wire.warnings[0].message
    with pytest.raises(Problem) as caught:
        await explained(runtime=runtime, explain="integrated_gradients")
    assert caught.value.code == code


async def test_what_the_runtime_fails_at_is_not_hidden() -> None:
    runtime = FakeRuntime(refusal=Problem("deadline_exceeded"))
    with pytest.raises(Problem) as caught:
        await explained(runtime=runtime)
    assert caught.value.code == "deadline_exceeded"


# --- the view -----------------------------------------------------------------------------------


async def test_attention() -> None:
    outcome = await explained(explain=None, view="attention", text=["goal", "a bank"])
    attention = outcome.wire.results[1].attention
    assert (attention.layers, attention.heads) == (2, 3)
    assert [token.token for token in attention.tokens] == ["[START]", *"a bank", "[END]"]
    assert [(token.start, token.end) for token in attention.tokens[:2]] == [(None, None), (0, 1)]
    assert np.shape(attention.weights) == (2, 3, 8, 8)
    assert outcome.wire.attention.layers == 2
    assert outcome.wire.explanation is None
    assert outcome.result.usage.prompt_tokens == outcome.prompt.prompt_tokens


async def test_attention_of_a_pair() -> None:
    model, runtime, labels = WAYS["nli"]
    outcome = await explained(model, runtime, explain=None, view="attention", labels=labels)
    tokens = outcome.wire.attention.tokens
    assert "".join(token.token for token in tokens if token.start is not None) == TEXT
    assert "This example is sport." in "".join(token.token for token in tokens)


@pytest.mark.parametrize(
    ("model", "request_", "says"),
    [
        (fake_model("decoder"), {"labels": ["a", "b"]}, "the view is of encoders"),
        (fake_model(context=20), {}, "longer than the model's context of 20"),
        (fake_model(), {"text": "x" * 300}, "2 layers x 3 heads x (302 x 302) tokens are 547224"),
    ],
)
def test_attention_that_is_refused(model: FakeModel, request_: dict[str, Any], says: str) -> None:
    problem = refusal(model, explain=None, view="attention", **request_)
    assert (problem.code, problem.param) == ("unsupported_parameter", "view")
    assert says in problem.message


# --- what is refused ----------------------------------------------------------------------------


def test_a_label_that_is_none() -> None:
    problem = refusal(explain={"label": "politics"})
    assert (problem.code, problem.param) == ("unsupported_parameter", "explain.label")
    assert "'sport', 'business'" in problem.message


def test_what_would_take_too_long_is_refused_with_the_numbers() -> None:
    problem = refusal(text="word " * 8000)
    assert (problem.code, problem.param) == ("invalid_request", "explain")
    assert "and 1000000 is the most" in problem.message
    assert "max_units" in problem.hint
    assert refusal(text=["word " * 400] * 20).code == "invalid_request"


def test_what_costs_less_is_taken() -> None:
    prompt = read_request(
        "classify",
        fake_model(),
        text="word " * 8000,
        labels=LABELS,
        explain={"max_units": 8, "flip": False},
    )
    assert 40_000 * 8 < prompt.prompt_tokens < 1_000_000


def test_labels_are_charged_once() -> None:
    """A search for flips reads many texts and the labels no second time."""
    labels = [f"label number {number}" for number in range(1000)]
    with_flip = read_request("classify", fake_model(), text=TEXT, labels=labels, explain=True)
    once = sum(len(label) + 2 for label in labels)
    assert once < with_flip.prompt_tokens < once + 200 * (len(TEXT) + 2)


async def test_vectors_of_words_decide() -> None:
    """The word that is nearest to the label has the highest score."""
    explanation = (await explained(text="goal stone water wood")).wire.explanation
    near = {
        word: float(bag_of_words(word) @ bag_of_words("match goal team"))
        for word in ("goal", "stone", "water", "wood")
    }
    assert explanation.top(1)[0].text == max(near, key=near.__getitem__)


def test_the_result_has_no_explanation_by_itself() -> None:
    plain = Classification(label="a", score=1.0, labels=["a"], scores=[])
    assert plain.explanation is None
    assert plain.attention is None
