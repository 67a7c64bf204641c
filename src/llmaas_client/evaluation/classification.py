"""How often `classify` is right on labelled texts, and whether its scores keep their word."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from llmaas_client.client import Client
from llmaas_client.errors import ConfigurationError
from llmaas_client.labels import to_wire
from llmaas_client.wire.classify import Classification, ClassifyResult

from .asking import (
    BATCH,
    CONCURRENCY,
    Answered,
    Interrupted,
    Progress,
    Refused,
    batches,
    each,
    in_order,
)
from .classified import ClassifyReport, report
from .tally import Tally

if TYPE_CHECKING:
    from llmaas_client.labels import Labels


@dataclass(frozen=True, slots=True)
class Labelled:
    """A text, the label that it deserves, and where it stands."""

    text: str
    label: str
    where: str


LabelledRows: TypeAlias = Iterable[Labelled | tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Prediction:
    """What was said about a row."""

    where: str
    text: str
    truth: str
    label: str
    """The best one, also where the answer was withheld."""
    score: float
    abstained: bool


def classify(
    client: Client,
    rows: LabelledRows,
    *,
    labels: Labels | None = None,
    classifier: str | None = None,
    model: str | None = None,
    threshold: float | None = None,
    max_error: float | None = None,
    hypothesis_template: str | None = None,
    skip_refused: bool = False,
    batch: int = BATCH,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
    predictions: Callable[[Prediction], None] | None = None,
) -> ClassifyReport:
    """Classify labelled texts and compare.

    Args:
        rows: Pairs of a text and its label, or what `labelled` reads from a file. They are read
            once, as far as it takes.
        labels: Those to choose from, as for `client.classify`; without them a `classifier`, or
            the labels that the model has of its own.
        threshold: Abstain below this score. Accuracy and calibration look at the best label of
            every row all the same; coverage and the error of answers look at what was answered.
        max_error: With a classifier, instead of a threshold.
        skip_refused: Leave out rows that the server refuses, such as texts beyond the context of
            a model that reads no windows, and name them; else they are an error.
        batch: Texts in a request.
        concurrency: Requests under way.
        progress: Is called with the number of rows that are done.
        predictions: Is called with each answer.

    Raises:
        Interrupted: on Ctrl-C, with the report of what was done.
        ConfigurationError: for no rows, or a label that no answer can be.
        LLMaaSError: as `client.classify` raises it.
    """
    names = None if labels is None else names_of(labels)
    tally = Tally(names)

    def ask(some: Sequence[Labelled]) -> Sequence[tuple[Classification, ClassifyResult]]:
        result = client.classify(
            [row.text for row in some],
            labels=labels,
            classifier=classifier,
            model=model,
            threshold=threshold,
            max_error=max_error,
            hypothesis_template=hypothesis_template,
        )
        return [(answer, result) for answer in result.results]

    def checked() -> Iterator[Labelled]:
        for row in _placed(rows):
            tally.check(row.label, row.where)
            yield row

    def work(
        some: Sequence[Labelled],
    ) -> Sequence[Answered[Labelled, tuple[Classification, ClassifyResult]]]:
        return each(some, ask, lambda row: row.where, skip_refused)

    last: ClassifyResult | None = None

    def take(one: Answered[Labelled, tuple[Classification, ClassifyResult]]) -> None:
        nonlocal last
        if isinstance(one.answer, Refused):
            tally.refused.append(one.answer)
            return
        answer, result = one.answer
        tally.learn(answer)
        tally.check(one.item.label, one.item.where)
        tally.add(one.item.label, answer)
        if result is not last:
            tally.origin.add(result)
            last = result
        if predictions is not None:
            predictions(_prediction(one.item, answer))

    try:
        with in_order(work, batches(checked(), batch), concurrency) as results:
            for answered in results:
                for one in answered:
                    take(one)
                if progress is not None:
                    progress(tally.rows)
    except KeyboardInterrupt:
        done = report(tally, interrupted=True) if tally.truth else None
        raise Interrupted(tally.rows, done) from None
    if not tally.truth:
        raise nothing(tally.refused)
    return report(tally, interrupted=False)


def _prediction(row: Labelled, answer: Classification) -> Prediction:
    best = answer.scores[0]
    return Prediction(row.where, row.text, row.label, best.label, best.score, answer.abstained)


def _placed(rows: LabelledRows) -> Iterator[Labelled]:
    for number, row in enumerate(rows, start=1):
        yield row if isinstance(row, Labelled) else Labelled(row[0], row[1], f"row {number}")


def names_of(labels: Labels) -> list[str]:
    """Those to choose from; none where the wire will say what is wrong with them."""
    found: Any = to_wire(labels)
    names: Iterable[Any] = found if type(found) in (list, dict) else ()
    return [str(name).strip() for name in names]


def nothing(refused: Sequence[Refused]) -> ConfigurationError:
    if refused:
        return ConfigurationError(f"all rows were refused; {refused[0].message}")
    return ConfigurationError("there are no rows")
