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
from .classifiers.base import Scoring, texts_of
from .classifiers.decision import Rules
from .classifiers.trained import HeadedRequest, TrainedScoring
from .explanations.explaining import LEFT_OUT, explain
from .explanations.plan import Plan, check_tokens, check_view, make_plan
from .explanations.tracing import Tracer
from .meter import Meter


@dataclass(frozen=True, slots=True)
class ClassifyPrompt:
    texts: tuple[str, ...]
    scoring: Scoring
    """Of the texts, and behind them of those that are read to explain them."""
    rules: Rules
    plan: Plan | None
    """How to explain; None where nobody asked."""
    view_tokens: int
    """Read for the view of attention; 0 where nobody asked."""
    max_completion_tokens: int = 0

    @property
    def prompt_tokens(self) -> int:
        """Exact, but for explanations: how far they go depends on what they find."""
        beside = self.plan.flip_tokens + self.plan.gradient_tokens if self.plan else 0
        return self.scoring.prompt_tokens + self.view_tokens + beside


class Classify:
    spec = TaskSpec("classify", HeadedRequest, ClassifyResult, streams=False)

    def prompt(
        self, request: HeadedRequest, model: Model, embedder: Model | None
    ) -> ClassifyPrompt:
        def read(texts: Sequence[str]) -> Scoring:
            return read_request(request.model_copy(update={"text": list(texts)}), model)

        def read_more(texts: Sequence[str]) -> Scoring:
            return read(texts).more()

        scoring = read_request(request, model)
        rules = rules_of(request, scoring, model)
        plan = make_plan(request, model, scoring, read_more)
        view_tokens = check_view(request, model, scoring)
        texts = tuple(texts_of(request))
        if plan is not None and plan.occlusion:
            scoring = read([*texts, *plan.variants])
        prompt = ClassifyPrompt(texts, scoring, rules, plan, view_tokens)
        if plan is not None:
            check_tokens(prompt.prompt_tokens)
        return prompt

    async def run(
        self, prompt: ClassifyPrompt, model: Model, runtime: Runtime, caller: Caller
    ) -> AsyncGenerator[Delta | Progress | Result, None]:
        meter = Meter()
        scoring, rules = prompt.scoring, prompt.rules
        judged = await scoring.judge(model, runtime, caller, meter)
        results = [rules.answer(judged, number) for number in range(len(prompt.texts))]
        body: dict[str, Any] = {
            "results": results,
            "method": scoring.method,
            "calibration": scoring.calibration,
        }
        if isinstance(scoring, TrainedScoring):
            body |= {"classifier": scoring.name, "threshold": scoring.threshold}
        tracer = Tracer(scoring, model, runtime, caller, meter)
        if prompt.plan is not None:
            explained = await explain(prompt.plan, rules, tracer, judged)
            _add(results, "explanation", explained.explanations)
            if explained.left_out is not None:
                message = f"integrated gradients are not taken: {explained.left_out}"
                body["warnings"] = [{"code": LEFT_OUT, "message": message}]
        if prompt.view_tokens:
            best = [rules.best(row) for row in judged.scores.tolist()]
            views = [
                await tracer.attention(number, best[number], text)
                for number, text in enumerate(prompt.texts)
            ]
            _add(results, "attention", views)
        yield meter.result(body)


def _add(results: list[dict[str, Any]], field: str, values: list[dict[str, Any]]) -> None:
    for result, value in zip(results, values, strict=True):
        result[field] = value


def read_request(request: HeadedRequest, model: Model) -> Scoring:
    """The request, tokenized for the way that fits the model or the classifier. Raises Problem."""
    if request.classifier is not None:
        return trained.read_request(request, request.classifier, model)
    return choose(request, model)


def rules_of(request: ClassifyRequest, scoring: Scoring, model: Model) -> Rules:
    """How the scores of a request are read."""
    if isinstance(scoring, TrainedScoring):
        scope = scoring.head.card.scope
        return Rules(
            labels=scoring.labels,
            multi=False,
            top_k=request.top_k,
            threshold=request.threshold if scoring.threshold is None else scoring.threshold,
            scope_threshold=None if scope is None else scope.threshold,
        )
    # A head of classes that do not exclude each other answers so, whether asked to or not.
    multi = request.multi or (scoring.method == "head" and model.multi_label)
    return Rules(scoring.labels, multi, request.top_k, request.threshold)


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


TASK = Classify()
