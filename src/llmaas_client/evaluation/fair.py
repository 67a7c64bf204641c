"""Whether `classify` treats texts alike that differ in who they speak of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from llmaas_client.client import Client
from llmaas_client.wire.classify import Classification, ClassifyResult

from .asking import BATCH, CONCURRENCY, Interrupted, Progress, Refused, batches, each, in_order
from .cases import Cases
from .classification import names_of, nothing
from .counterfactuals import GroupFigures
from .origin import Source
from .report.base import Report
from .report.document import Document
from .study import Item, Study, not_a_label
from .subgroups import Subgroups
from .swap_lists import SwapGroup
from .terms import TERMS

if TYPE_CHECKING:
    from llmaas_client.labels import Labels


@dataclass(frozen=True, slots=True)
class FairnessReport(Report):
    """What changes where identities do, and how terms are ranked."""

    rows: int
    asked: int
    """Rows that were classified: those that name an identity, and those with labels."""
    texts: int
    """Texts that were classified: these rows and their variants."""
    unpaired: int
    """Versions of texts that have no other version, or none of the identity that comes first."""
    positive: str
    threshold: float | None
    source: Source
    groups: tuple[GroupFigures, ...]
    subgroups: Subgroups | None
    """None where rows have no labels."""
    refused: tuple[Refused, ...]
    interrupted: bool

    def document(self) -> Document:
        from .report.fair import page

        return page(self)


def fairness(
    client: Client,
    rows: Cases,
    *,
    positive: str,
    labels: Labels | None = None,
    classifier: str | None = None,
    model: str | None = None,
    hypothesis_template: str | None = None,
    threshold: float | None = None,
    positive_in_rows: str | None = None,
    groups: Sequence[SwapGroup] | None = None,
    terms: Sequence[str] = TERMS,
    skip_refused: bool = False,
    batch: int = BATCH,
    concurrency: int = CONCURRENCY,
    progress: Progress | None = None,
) -> FairnessReport:
    """Exchange identities in texts, and compare what is said of them.

    Every row that names an identity of a group is classified as it is, and with each other
    identity of the group in its place. Rows with labels also give AUCs by identity term.

    Args:
        rows: Texts, pairs of a text and its label, or `Case`s. They are read once.
        positive: The label whose score is looked at, such as `toxic` or `hire`.
        labels: Those to choose from, as for `client.classify`; without them a `classifier`, or
            the labels that the model has of its own.
        threshold: From which score of the positive label on a text counts as positive; without
            it, where that label is the best.
        positive_in_rows: What the rows call the positive label, where it is not the same.
        groups: What to exchange: `shipped()`, some of it by `chosen(["gender"])`,
            `pairs(["he=she"])` or `read_groups(file)`; without it all that is shipped, and nothing
            where rows come in versions.
        terms: Terms for the AUCs, instead of those of Dixon et al. (2018).
        skip_refused: Leave out rows that the server refuses, and name them.
        batch: Texts in a request.
        concurrency: Requests under way.
        progress: Is called with the number of rows that are done.

    Raises:
        Interrupted: on Ctrl-C, with the report of what was done.
        ConfigurationError: for no rows, or a positive label that no answer can be.
        LLMaaSError: as `client.classify` raises it.
    """
    if labels is not None and (names := names_of(labels)) and positive not in names:
        raise not_a_label(positive, names)
    study = Study(positive, threshold, positive_in_rows or positive, groups, terms)

    def ask(some: Sequence[Item]) -> Sequence[tuple[Classification, ClassifyResult]]:
        result = client.classify(
            [item.text for item in some],
            labels=labels,
            classifier=classifier,
            model=model,
            hypothesis_template=hypothesis_template,
        )
        return [(answer, result) for answer in result.results]

    def work(some: Sequence[Item]) -> Sequence[Any]:
        return each(some, ask, lambda item: item.case.where, skip_refused)

    try:
        with in_order(work, batches(study.items(rows), batch), concurrency) as results:
            for answered in results:
                for one in answered:
                    study.take(one.item, one.answer)
                if progress is not None:
                    progress(study.done)
        study.close()
    except KeyboardInterrupt:
        done = _report(study, interrupted=True) if study.texts else None
        raise Interrupted(study.done, done) from None
    if not study.texts and study.refused:
        raise nothing(study.refused)
    if not study.rows:
        raise nothing(())
    return _report(study, interrupted=False)


def _report(study: Study, *, interrupted: bool) -> FairnessReport:
    return FairnessReport(
        rows=study.rows,
        asked=study.asked,
        texts=study.texts,
        unpaired=study.unpaired,
        positive=study.positive,
        threshold=study.threshold,
        source=study.source,
        groups=study.groups,
        subgroups=study.subgroups,
        refused=tuple(study.refused),
        interrupted=interrupted,
    )
