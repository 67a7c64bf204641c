"""What each task of the Hugging Face wire takes, means and refuses."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import pytest

from llmaas_client.wire.classify import ClassifyRequest
from llmaas_server.api.translated import Told
from llmaas_server.backends.fake import FakeBackend
from llmaas_server.compat.huggingface.text_classification import (
    TextClassification,
    TextClassificationBody,
)
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import ModelKind, ModelRef, Result, Timing, Usage
from llmaas_server.settings import Settings
from support.front import Front, front
from support.inference import inference, post, refused
from support.inference import online as online

TEXT = "The harbour froze . Boats stayed out ! Ice broke in May. Nets were mended. Fish came back."


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        backend="fake",
        predict_negative="bad awful",
        predict_positive="good lovely",
    )
    with front(settings, FakeBackend(context=100)) as running:
        yield running


# --- text-classification ------------------------------------------------------------------------


def test_text_classification_without_a_model_is_sentiment(server: Front) -> None:
    client = inference(server, "text-classification")
    best, other = client.text_classification("a good and lovely thing")
    assert (best.label, other.label) == ("POSITIVE", "NEGATIVE")
    assert math.isclose(best.score + other.score, 1.0)
    (only,) = client.text_classification("bad and awful", top_k=1)
    assert only.label == "NEGATIVE"


def test_text_classification_of_several(server: Front) -> None:
    answer = post(server, "text-classification", {"inputs": ["good lovely", "bad awful"]})
    assert [row[0]["label"] for row in answer] == ["POSITIVE", "NEGATIVE"]
    assert len(post(server, "text-classification", {"inputs": "good"})) == 1


def test_text_classification_needs_a_head(server: Front) -> None:
    task = "text-classification?model=smollm2-135m-instruct-q4_1"
    error = refused(server, task, "text_classification", "a text")
    assert error["code"] == "model_has_no_head"
    assert "/hf/zero-shot-classification" in error["hint"]


@pytest.mark.parametrize("function", ["softmax", "sigmoid", "none"])
def test_functions_need_a_head(server: Front, function: Any) -> None:
    options = {"function_to_apply": function}
    error = refused(server, "text-classification", "text_classification", "a text", **options)
    assert (error["code"], error["param"]) == ("unsupported_parameter", "function_to_apply")


class Shelf:
    """One model of each kind."""

    def ref(self, name: str) -> ModelRef:
        kinds: dict[str, ModelKind] = {"head": "classifier", "other": "encoder"}
        return ModelRef(name, "", kinds.get(name, "encoder"))

    def installed(self) -> list[InstalledModel]:
        return []


def result_of(scores: dict[str, float]) -> Result:
    judged = [{"label": label, "score": score} for label, score in scores.items()]
    return Result({"results": [{"scores": judged}]}, Usage(), Timing(0, 0, 0, 0))


SIGMOIDS = {"a": 1 / (1 + math.exp(-2.0)), "b": 0.5, "c": 1 / (1 + math.exp(1.0))}
"""Of the logits 2, 0 and -1."""
WHOLE = math.exp(2.0) + 1 + math.exp(-1.0)


@pytest.mark.parametrize(
    ("function", "scores"),
    [
        ("sigmoid", list(SIGMOIDS.values())),
        ("none", [2.0, 0.0, -1.0]),
        ("softmax", [math.exp(2.0) / WHOLE, 1 / WHOLE, math.exp(-1.0) / WHOLE]),
    ],
)
@pytest.mark.parametrize("top_k", [None, 2])
def test_functions_of_a_head(function: Any, scores: list[float], top_k: int | None) -> None:
    """What is cut is cut behind the softmax, which is over all classes."""
    format = TextClassification(Shelf(), "other", "bad", "good")
    parameters = {"function_to_apply": function, "top_k": top_k}
    body = TextClassificationBody.model_validate(
        {"inputs": "a text", "model": "head", "parameters": parameters}
    )
    request = format.read(body)
    assert isinstance(request, ClassifyRequest)
    assert (request.multi, request.labels, request.top_k) == (True, None, None)
    (row,) = format.write(body, Told("req_1", "head", 0), result_of(SIGMOIDS)).root
    assert [one.label for one in row] == ["a", "b", "c"][:top_k]
    assert [one.score for one in row] == pytest.approx(scores[:top_k], rel=1e-9)


def test_a_head_has_its_own_labels() -> None:
    format = TextClassification(Shelf(), "head", "bad", "good")
    request = format.read(TextClassificationBody(inputs="a text"))
    assert isinstance(request, ClassifyRequest)
    assert (request.model, request.labels, request.multi) == ("head", None, False)


def test_scores_at_the_limits_have_logits() -> None:
    format = TextClassification(Shelf(), "head", "bad", "good")
    body = TextClassificationBody.model_validate(
        {"inputs": "a", "parameters": {"function_to_apply": "none"}}
    )
    answer = format.write(body, Told("req_1", "head", 0), result_of({"a": 1.0, "b": 0.0}))
    high, low = (one.score for one in answer.root[0])
    assert high == pytest.approx(-low)
    assert 36 < high < 38


# --- zero-shot-classification -------------------------------------------------------------------


def test_zero_shot(server: Front) -> None:
    client = inference(server, "zero-shot-classification")
    found = client.zero_shot_classification("my printer is broken", ["cats", "printer"])
    assert [one.label for one in found] == ["printer", "cats"]
    assert math.isclose(sum(one.score for one in found), 1.0)
    both = client.zero_shot_classification(
        "my printer is broken",
        ["cats", "printer"],
        multi_label=True,
        hypothesis_template="This is about {}.",
    )
    assert sum(one.score for one in both) > 1.0


def test_zero_shot_of_other_shapes(server: Front) -> None:
    task = "zero-shot-classification"
    one = post(server, task, {"inputs": "cats", "parameters": {"candidate_labels": "dogs, cats"}})
    assert [row["label"] for row in one] == ["cats", "dogs"]
    labels = {"pet": "cats", "tool": "printer"}
    several = {"inputs": ["cats", "printer"], "parameters": {"candidate_labels": labels}}
    assert [row[0]["label"] for row in post(server, task, several)] == ["pet", "tool"]
    (alone,) = inference(server, task).zero_shot_classification("cats", ["cats"])
    assert 0.5 < alone.score < 1.0  # one label is judged by itself


@pytest.mark.parametrize(
    ("labels", "options", "code", "param"),
    [
        ([], {}, "too_few_labels", "candidate_labels"),
        (["a", "a"], {}, "duplicate_labels", "candidate_labels"),
        (["a", " "], {}, "empty_text", "candidate_labels.1"),
        (["a", 1], {}, "invalid_request", "candidate_labels.1"),
        (["a", "b"], {"hypothesis_template": "no"}, "invalid_request", "hypothesis_template"),
        (["a", "b"], {"multi_label": "yes"}, "invalid_request", "multi_label"),
    ],
)
def test_zero_shot_refuses(server: Front, labels: Any, options: Any, code: str, param: str) -> None:
    task = "zero-shot-classification"
    error = refused(server, task, "zero_shot_classification", "a text", labels, **options)
    assert (error["code"], error["param"]) == (code, f"parameters.{param}")


# --- summarization ------------------------------------------------------------------------------


def test_summarization(server: Front) -> None:
    client = inference(server, "summarization")
    assert client.summarization(TEXT).summary_text == TEXT.rpartition(" Fish")[0]
    cleaned = client.summarization(TEXT, clean_up_tokenization_spaces=True).summary_text
    assert cleaned.startswith("The harbour froze. Boats stayed out! ")
    short = client.summarization(TEXT, generate_parameters={"max_words": 3})
    assert short.summary_text == "The harbour froze"


@pytest.mark.parametrize(
    "options",
    [
        {"clean_up_tokenization_spaces": False},
        {"truncation": "do_not_truncate"},
        {"generate_parameters": {"do_sample": False, "num_beams": 1, "max_length": None}},
        {"generate_parameters": {"method": "auto", "length": "medium", "style": "paragraph"}},
        {"generate_parameters": {"strict": True, "strategy": "auto", "focus": "boats"}},
    ],
)
def test_summarization_takes(server: Front, options: Any) -> None:
    assert inference(server, "summarization").summarization(TEXT, **options).summary_text


@pytest.mark.parametrize(
    "parameters",
    [
        {"max_length": 130},
        {"min_length": 30},
        {"max_new_tokens": 130},
        {"min_new_tokens": 30},
        {"do_sample": True},
        {"num_beams": 4},
        {"temperature": 0.7},
        {"no_repeat_ngram_size": 3},
    ],
)
def test_summarization_refuses_by_name(server: Front, parameters: dict[str, Any]) -> None:
    (name,) = parameters
    options = {"generate_parameters": parameters}
    inner = refused(server, "summarization", "summarization", TEXT, **options)
    outer = post(server, "summarization", {"inputs": TEXT, "parameters": parameters})["error"]
    for error in (inner, outer):
        assert error["code"] == "unsupported_parameter"
        assert error["param"].endswith(name)
        assert error["message"].startswith(f"{name}: ")
        assert ("max_words" in error["message"]) == name.startswith(("max_", "min_"))


@pytest.mark.parametrize("truncation", ["longest_first", "only_first", "only_second"])
def test_summarization_cuts_nothing(server: Front, truncation: Any) -> None:
    error = refused(server, "summarization", "summarization", TEXT, truncation=truncation)
    assert error["param"] == "parameters.truncation"


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({"inputs": ["One.", "Two."]}, "unsupported_parameter", "inputs"),
        ({"inputs": []}, "invalid_request", "inputs"),
        (
            {
                "inputs": "a",
                "parameters": {"style": "bullets", "generate_parameters": {"style": "headline"}},
            },
            "unsupported_parameter",
            "parameters.style",
        ),
        (
            {"inputs": "a", "parameters": {"max_words": 0}},
            "invalid_request",
            "parameters.max_words",
        ),
        ({"inputs": "a", "options": {"wait": True}}, "unknown_field", "options.wait"),
        ({"inputs": "a", "parameter": {}}, "unknown_field", "parameter"),
        ({"parameters": {}}, "invalid_request", "inputs"),
    ],
)
def test_summarization_of_other_shapes(
    server: Front, body: dict[str, Any], code: str, param: str
) -> None:
    error = post(server, "summarization", body)["error"]
    assert (error["code"], error["param"]) == (code, param)
    assert post(server, "summarization", {"inputs": ["One."]}) == [{"summary_text": "One."}]


# --- feature-extraction -------------------------------------------------------------------------


def test_feature_extraction(server: Front) -> None:
    client = inference(server, "feature-extraction")
    one = client.feature_extraction("a text")
    two = client.feature_extraction(
        ["a text", "another"], normalize=True, truncate=False, encoding_format="float"
    )
    assert (one.shape, two.shape) == ((1, 16), (2, 16))
    assert one[0].tolist() == two[0].tolist()
    assert float((two**2).sum()) == pytest.approx(2.0, rel=1e-5)


@pytest.mark.parametrize(
    "options",
    [
        {"normalize": False},
        {"truncate": True},
        {"truncation_direction": "left"},
        {"prompt_name": "query"},
        {"dimensions": 8},
        {"encoding_format": "base64"},
    ],
)
def test_feature_extraction_refuses_by_name(server: Front, options: dict[str, Any]) -> None:
    (name,) = options
    error = refused(server, "feature-extraction", "feature_extraction", "a text", **options)
    assert (error["code"], error["param"]) == ("unsupported_parameter", name)


def test_feature_extraction_cuts_nothing(server: Front) -> None:
    error = refused(server, "feature-extraction", "feature_extraction", "word " * 101)
    assert (error["code"], error["needed"], error["limit"]) == ("context_overflow", 101, 100)
