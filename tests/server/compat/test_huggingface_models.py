"""The Hugging Face wire over real models: the embedded ones, and a head held to transformers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import transformers

from llmaas_server.models.inspect import tasks_of
from llmaas_server.models.manifest import InstalledModel
from llmaas_server.models.origin import Local
from llmaas_server.models.store import Store
from llmaas_server.seam.values import ModelRef
from llmaas_server.settings import Settings
from support import tiny
from support.front import Front, front
from support.inference import inference, post, refused
from support.inference import online as online

SECONDS = 120
"""The worker is still starting when the first call comes."""

LABELS = ("Politik", "Sport", "Kultur")
TEXTS = ["the cat sat on the mat", "a dog ran", "hello world"]


@pytest.fixture(scope="module")
def embedded(tmp_path_factory: pytest.TempPathFactory, embedded_store: Store) -> Iterator[Front]:
    home = tmp_path_factory.mktemp("home")
    with front(Settings(home=home, cache=embedded_store.cache)) as running:
        yield running


@pytest.mark.real_models
def test_text_classification(embedded: Front) -> None:
    client = inference(embedded, "text-classification", timeout=SECONDS)
    assert client.text_classification("What a wonderful day!", top_k=1)[0].label == "POSITIVE"
    assert client.text_classification("A dull and stupid film.")[0].label == "NEGATIVE"


@pytest.mark.real_models
def test_zero_shot(embedded: Front) -> None:
    client = inference(embedded, "zero-shot-classification", timeout=SECONDS)
    text = "The striker scored twice in the second half."
    found = client.zero_shot_classification(text, ["politics", "sports", "cooking"])
    assert found[0].label == "sports"


@pytest.mark.real_models
def test_summarization(embedded: Front) -> None:
    text = " ".join(f"The harbour froze in winter {year}." for year in range(1900, 1980))
    client = inference(embedded, "summarization", timeout=SECONDS)
    summary = client.summarization(text, generate_parameters={"max_words": 20}).summary_text
    assert 0 < len(summary.split()) <= 20  # words, never exceeded
    assert summary.split(".")[0] in text


@pytest.mark.real_models
def test_feature_extraction(embedded: Front) -> None:
    client = inference(embedded, "feature-extraction", timeout=SECONDS)
    a, b, c = client.feature_extraction(["a cat", "a kitten", "the stock market"])
    assert a.shape == (384,)
    assert a @ b > a @ c


@pytest.mark.real_models
def test_chat(embedded: Front) -> None:
    client = inference(embedded, "chat", timeout=SECONDS)
    messages: list[Any] = [{"role": "user", "content": "Name three colours."}]
    options: dict[str, Any] = {"max_tokens": 12, "temperature": 0.0}
    whole = client.chat_completion(messages, **options)
    stream = client.chat_completion(messages, stream=True, **options)
    text = "".join(piece.choices[0].delta.content or "" for piece in stream)
    ours = embedded.http.post("/v1/tasks/chat", json={"messages": messages, **options}).json()
    assert whole.choices[0].message.content == text == ours["message"]["content"]
    assert whole.usage.completion_tokens == ours["usage"]["completion_tokens"]


class Shelf:
    """A store of these models."""

    def __init__(self, *models: ModelRef) -> None:
        self._models = {model.name: model for model in models}

    def ref(self, name: str) -> ModelRef:
        return self._models[name]

    def installed(self) -> list[InstalledModel]:
        return [
            InstalledModel(
                name=model.name,
                kind=model.kind,
                sentence_embeddings=model.sentence_embeddings,
                tasks=tasks_of(model.kind, model.sentence_embeddings),
                context=128,
                licence=None,
                created=0,
                source=Local("here"),
                files={},
                path=Path(model.path),
            )
            for model in self._models.values()
        ]


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Front, dict[str, ModelRef]]]:
    """A head of classes that exclude each other, one of classes that do not, and an embedder."""
    folder = tmp_path_factory.mktemp("models")
    models = {
        "single": tiny.classifier(folder / "single", labels=LABELS, name="single"),
        "several": tiny.classifier(
            folder / "several",
            labels=LABELS,
            name="several",
            problem_type="multi_label_classification",
        ),
        "embedder": tiny.embedder(folder / "embedder", name="embedder"),
    }
    settings = Settings(home=tmp_path_factory.mktemp("home"), predict_model="single")
    with front(settings, store=Shelf(*models.values())) as running:
        body = {"inputs": "a text"}
        running.http.post("/hf/text-classification", json=body, timeout=SECONDS).raise_for_status()
        yield running, models


@pytest.mark.parametrize("name", ["single", "several"])
@pytest.mark.parametrize("function", [None, "softmax", "sigmoid", "none"])
def test_heads_say_what_they_say_in_transformers(
    heads: tuple[Front, dict[str, ModelRef]], name: str, function: Any
) -> None:
    server, models = heads
    pipeline = transformers.pipeline("text-classification", models[name].path, dtype="float32")
    options = {} if function is None else {"function_to_apply": function}
    expected = [pipeline(text, top_k=None, **options) for text in TEXTS]
    parameters = {"function_to_apply": function}
    body = {"inputs": TEXTS, "parameters": parameters}
    found = post(server, "text-classification", body, f"?model={name}")
    for ours, theirs in zip(found, expected, strict=True):
        assert [row["label"] for row in ours] == [row["label"] for row in theirs]
        scores = [row["score"] for row in theirs]
        assert [row["score"] for row in ours] == pytest.approx(scores, rel=2e-3, abs=2e-4)


def test_the_default_has_its_own_labels(heads: tuple[Front, dict[str, ModelRef]]) -> None:
    server, _ = heads
    client = inference(server, "text-classification", timeout=SECONDS)
    assert {one.label for one in client.text_classification("a text")} == set(LABELS)
    task = "text-classification?model=embedder"
    assert refused(server, task, "text_classification", "a text")["code"] == "model_has_no_head"
