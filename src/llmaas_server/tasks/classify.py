"""Classify: the model decides the way; the request decides how its scores are read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_client.wire import TaskSpec
from llmaas_client.wire.classify import ClassifyRequest, ClassifyResult
from llmaas_server.errors import Problem
from llmaas_server.runtime.interface import Model, Runtime
from llmaas_server.seam.values import Delta, Progress, Result

from .base import Caller
from .classifiers import embedding, head, label_scoring, nli, trained
from .classifiers.base import Scoring
from .classifiers.trained import HeadedRequest, TrainedScoring
from .meter import Meter

MULTI_THRESHOLD = 0.5


@dataclass(frozen=True, slots=True)
class TrainedPrompt:
    """For a classifier that was made from examples."""

    scoring: TrainedScoring
    top_k: int | None
    threshold: float | None
    max_completion_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        return self.scoring.prompt_tokens


@dataclass(frozen=True, slots=True)
class ClassifyPrompt:
    scoring: Scoring
    multi: bool
    top_k: int | None
    threshold: float | None

    @property
    def prompt_tokens(self) -> int:
        return self.scoring.prompt_tokens

    @property
    def max_completion_tokens(self) -> int:
        return 0


class Classify:
    spec = TaskSpec("classify", HeadedRequest, ClassifyResult, streams=False)

    def prompt(
        self, request: HeadedRequest, model: Model, embedder: Model | None
    ) -> ClassifyPrompt | TrainedPrompt:
        if request.classifier is not None:
            made = trained.read_request(request, request.classifier, model)
            threshold = request.threshold if made.threshold is None else made.threshold
            return TrainedPrompt(made, request.top_k, threshold)
        scoring = choose(request, model)
        # A head of classes that do not exclude each other answers so, whether asked to or not.
        multi = request.multi or (scoring.method == "head" and model.multi_label)
        return ClassifyPrompt(scoring, multi, request.top_k, request.threshold)

    async def run(
        self,
        prompt: ClassifyPrompt | TrainedPrompt,
        model: Model,
        runtime: Runtime,
        caller: Caller,
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        if isinstance(prompt, TrainedPrompt):
            yield meter.result(await _by_classifier(prompt, model, runtime, caller, meter))
            return
        scoring = prompt.scoring
        scores = await scoring.scores(model, runtime, caller, meter)
        results = [
            decide(scoring.labels, row, prompt.multi, prompt.top_k, prompt.threshold)
            for row in scores.tolist()
        ]
        yield meter.result(
            {"results": results, "method": scoring.method, "calibration": scoring.calibration}
        )


async def _by_classifier(
    prompt: TrainedPrompt, model: Model, runtime: Runtime, caller: Caller, meter: Meter
) -> dict[str, Any]:
    """The answer of a classifier; it abstains from what is out of its scope."""
    scoring, card = prompt.scoring, prompt.scoring.head.card
    judged = await scoring.judge(model, runtime, caller, meter)
    results = []
    for row, score in zip(judged.probabilities.tolist(), judged.scope_scores, strict=True):
        decision = scoring.in_scope(score)
        result = decide(card.labels, row, False, prompt.top_k, prompt.threshold)
        if decision is False:
            result |= {"label": None, "labels": [], "abstained": True}
        results.append(result | {"in_scope": {"score": score, "decision": decision}})
    return {
        "results": results,
        "method": "classifier",
        "calibration": card.calibration,
        "classifier": scoring.name,
        "threshold": scoring.threshold,
    }


def choose(request: ClassifyRequest, model: Model) -> Scoring:
    """The way to classify that fits the model. Raises Problem where none does."""
    match model.ref.kind:
        case "encoder" if model.ref.sentence_embeddings:
            return embedding.read_request(request, model)
        case "encoder":
            raise Problem(
                "model_has_no_head",
                f"{model.ref.name!r} has neither a trained classification head nor "
                "sentence embeddings",
            )
        case "classifier":
            entailment = nli.entailment_index(model)
            if request.labels is not None and entailment is not None:
                return nli.read_request(request, model, entailment)
            return head.read_request(request, model)
        case "decoder":
            return label_scoring.read_request(request, model)
    raise Problem(
        "model_cannot_do_task",
        f"{model.ref.name!r} ({model.ref.kind}) cannot classify",
        param="model",
    )


def decide(
    labels: Sequence[str],
    scores: Sequence[float],
    multi: bool,
    top_k: int | None,
    threshold: float | None,
) -> dict[str, Any]:
    """The answer for one text. Labels of equal score keep the order of the request."""
    ranked = sorted(zip(labels, scores, strict=True), key=lambda item: -item[1])
    best, score = ranked[0]
    if multi:
        least = MULTI_THRESHOLD if threshold is None else threshold
        holding = [label for label, value in ranked if value >= least]
    else:
        holding = [best] if threshold is None or score >= threshold else []
    return {
        "label": best if holding else None,
        "score": score,
        "labels": holding,
        "scores": [{"label": label, "score": value} for label, value in ranked[:top_k]],
        "abstained": not holding,
    }


TASK = Classify()
