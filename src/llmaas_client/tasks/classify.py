"""Classify."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Coroutine, Generator, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias

from llmaas_client.labels import to_wire
from llmaas_client.steps import UNSET, Call, Timeout
from llmaas_client.wire.classify import SPEC, Classification, ClassifyRequest, ClassifyResult

from .fields import Out, Texts, given, reading
from .mapped import Each, Many, Mapped, Mapper, given_back

if TYPE_CHECKING:
    from llmaas_client.batch.items import MapItem, MapResult
    from llmaas_client.batch.work import Work
    from llmaas_client.labels import Labels
    from llmaas_client.wire.explanations import Explain, ExplainMethod, View


class Classify(Mapped[str, Many, Each], Generic[Out, Many, Each]):
    """Which of these labels does a text deserve?

    client.classify("I love Python", labels=["negative", "positive"]).label
    """

    def __init__(
        self,
        run: Callable[[Call[ClassifyResult]], Out],
        mapper: Mapper[Many, Each] | None = None,
    ) -> None:
        self._run = run
        self._mapper = mapper

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
        explain: bool | ExplainMethod | Explain | Mapping[str, Any] = False,
        view: View | None = None,
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
            explain: Say what of each text its label rests on: `True` for all that the model can,
                the name of a method, or an `Explain` (or a mapping like it) with its options.
            view: `"attention"` shows the attention of an encoder. It explains nothing.
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
            "explain": dict(explain) if isinstance(explain, Mapping) else explain or None,
            "view": view,
            "model": model,
        }
        return self._run(
            Call(
                path=SPEC.path,
                request=lambda: ClassifyRequest.model_validate(given(fields)),
                read=reading(ClassifyResult, text),
                timeout=timeout,
            )
        )

    def _work(self, arguments: Mapping[str, Any]) -> Work[str, Classification]:
        from llmaas_client.batch.work import TEXTS, Work

        ask = Classify[Any, Any, Any](given_back)
        return Work(
            task=SPEC.name,
            call=lambda texts: ask(texts, **arguments),
            split=_results,
            most=TEXTS,
            example="x",
            field="text",
            dump=_dump,
            load=lambda saved, _: Classification.model_validate(saved),
            row=row_of,
        )


def row_of(answer: Classification) -> dict[str, Any]:
    """Columns of a table: the label, its score, and the score of every label."""
    own: dict[str, Any] = {
        "label": answer.label,
        "score": answer.score,
        "labels": answer.labels,
        "abstained": answer.abstained,
    }
    return own | {f"score of {item.label}": item.score for item in answer.scores}


def _results(result: ClassifyResult) -> list[Classification]:
    return result.results


def _dump(answer: Classification) -> dict[str, Any]:
    return answer.model_dump(mode="json")


if TYPE_CHECKING:
    SyncClassify: TypeAlias = Classify[
        ClassifyResult, MapResult[Classification], Generator[MapItem[Classification]]
    ]
    AsyncClassify: TypeAlias = Classify[
        Coroutine[Any, Any, ClassifyResult],
        Coroutine[Any, Any, MapResult[Classification]],
        AsyncGenerator[MapItem[Classification]],
    ]
