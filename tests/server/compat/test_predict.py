"""`POST /predict`: one text in, 0 or 1 out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from llmaas_client.wire.errors import ERRORS, ErrorBody
from llmaas_client.wire.models import PredictRequest
from llmaas_server.compat.predict import Predict, decide
from llmaas_server.errors import Problem
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.seam.values import ModelKind, ModelRef
from llmaas_server.settings import Settings
from support.front import Front, front


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    settings = Settings(
        home=tmp_path_factory.mktemp("home"),
        backend="fake",
        predict_negative="bad awful",
        predict_positive="good lovely",
    )
    with front(settings) as running:
        yield running


@pytest.mark.parametrize(
    ("text", "prediction"), [("awful and bad", 0), ("good and lovely", 1), ("lovely good", 1)]
)
def test_prediction(server: Front, text: str, prediction: int) -> None:
    response = server.http.post("/predict", json={"text": text})
    assert response.status_code == httpx.codes.OK
    assert response.json() == {"prediction": prediction}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "invalid_request", "text"),
        ({"text": ""}, "empty_text", "text"),
        ({"text": None}, "invalid_request", "text"),
        ({"text": ["a"]}, "invalid_request", "text"),
        ({"text": "a", "model": "b"}, "unknown_field", "model"),
        ([], "invalid_request", None),
    ],
)
def test_bad_input(server: Front, body: Any, code: str, param: str | None) -> None:
    response = server.http.post("/predict", json=body)
    error = ErrorBody.model_validate_json(response.content).error
    assert (error.code, error.param) == (code, param)


def test_wrong_method(server: Front) -> None:
    response = server.http.get("/predict")
    assert response.status_code == ERRORS["method_not_allowed"].status
    assert response.headers["allow"] == "POST"


def test_missing_key(server: Front) -> None:
    response = httpx.post(f"{server.url}/predict", json={"text": "a"})
    assert ErrorBody.model_validate_json(response.content).error.code == "missing_key"


class Shelf:
    def __init__(self, kind: ModelKind) -> None:
        self._kind = kind

    def ref(self, name: str) -> ModelRef:
        return ModelRef(name, "", self._kind)

    def installed(self) -> list[InstalledModel]:
        return []


@pytest.mark.parametrize(
    ("kind", "labels"),
    [("encoder", {"negative": "sad", "positive": "glad"}), ("classifier", None)],
)
def test_a_trained_head_keeps_its_own_labels(kind: ModelKind, labels: Any) -> None:
    predict = Predict(Shelf(kind), "some-model", "sad", "glad")
    request = predict.read(PredictRequest(text="a"))
    assert request.model_dump(exclude_none=True).get("labels") == labels
    assert request.model == "some-model"


@pytest.mark.parametrize(
    ("scores", "prediction"),
    [
        ({"NEGATIVE": 0.1, "POSITIVE": 0.9}, 1),
        ({"POSITIVE": 0.2, "NEGATIVE": 0.8}, 0),
        ({"LABEL_0": 0.4, "LABEL_1": 0.6}, 1),
        ({"neg": 0.3, "neutral": 0.5, "pos": 0.2}, 0),
        ({"negative": 0.1, "neutral": 0.7, "positive": 0.2}, 1),
        ({"0": 0.9, "1": 0.1}, 0),
    ],
)
def test_labels_of_sentiment_models(scores: dict[str, float], prediction: int) -> None:
    assert decide(scores) == prediction


@pytest.mark.parametrize(
    "labels",
    [
        ("entailment", "neutral", "contradiction"),
        ("1 star", "5 stars"),
        ("LABEL_0", "LABEL_1", "LABEL_2"),
        ("positive", "neutral"),
        ("NEGATIVE", "LABEL_0", "POSITIVE"),
    ],
)
def test_other_labels_are_refused(labels: tuple[str, ...]) -> None:
    with pytest.raises(Problem, match="not negative and positive") as raised:
        decide(dict.fromkeys(labels, 1 / len(labels)))
    assert raised.value.code == "model_cannot_do_task"
