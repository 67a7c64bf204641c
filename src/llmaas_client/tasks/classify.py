"""Classify."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic

from llmaas_client.labels import to_wire
from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.classify import SPEC, ClassifyRequest, ClassifyResult

from .fields import Out, Texts, given

if TYPE_CHECKING:
    from llmaas_client.labels import Labels


class Classify(Generic[Out]):
    """Which of these labels does a text deserve?

    client.classify("I love Python", labels=["negative", "positive"]).label
    """

    def __init__(self, run: Callable[[Call[ClassifyResult]], Out]) -> None:
        self._run = run

    def __call__(
        self,
        text: Texts,
        *,
        labels: Labels | None = None,
        classifier: str | None = None,
        multi: bool = False,
        top_k: int | None = None,
        threshold: float | None = None,
        max_error: float | None = None,
        hypothesis_template: str | None = None,
        model: str | None = None,
        timeout: Timeout = UNSET,
    ) -> Out:
        """Classify one text, or several in one request.

        Args:
            text: A text, or a list of them; `results` keeps their order.
            labels: Names, or name -> description, or an Enum class, or a Literal. Without labels
                the model must have labels of its own.
            classifier: Instead of labels: one of `client.classifiers`, as `name` or `name@2`.
            multi: Judge each label by itself: any number of them may hold.
            top_k: Return the best k scores only.
            threshold: Abstain below this score; with `multi`, the score that a label must reach.
            max_error: With a classifier: abstain so often that at most this share of answers is
                wrong; refused where its examples are too few to say.
            hypothesis_template: A sentence with `{}` for the label: "This text is about {}."
            model: A model's name; without it the server's default for this task.
            timeout: Seconds for the whole call with all its retries; None is no limit.

        Raises:
            LLMaaSError: as the tree in `llmaas_client.errors` shows.
        """
        fields = {
            "text": text,
            "labels": None if labels is None else to_wire(labels),
            "classifier": classifier,
            "multi": multi or None,
            "top_k": top_k,
            "threshold": threshold,
            "max_error": max_error,
            "hypothesis_template": hypothesis_template,
            "model": model,
        }
        return self._run(
            Call(
                path=SPEC.path,
                request=lambda: ClassifyRequest.model_validate(given(fields)),
                read=ClassifyResult.model_validate_json,
                timeout=timeout,
            )
        )
