"""One pass over rows: the texts to ask about, and what is booked of the answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from llmaas_client.errors import ConfigurationError
from llmaas_client.wire.classify import Classification, ClassifyResult

from .asking import Refused
from .cases import Case, Cases, case_of
from .counterfactuals import Change, GroupFigures, Ledger
from .origin import Origin, Source
from .subgroups import Scores, Subgroups
from .swap_lists import SwapGroup, shipped
from .swapping import Swapper, Variant
from .terms import Terms

SETS = "versions in the file"


@dataclass(frozen=True, slots=True)
class Item:
    """A text to classify: a row's own, or a variant of it."""

    case: Case
    variant: Variant | None

    @property
    def text(self) -> str:
        return self.case.text if self.variant is None else self.variant.text


@dataclass(frozen=True, slots=True)
class _Said:
    label: str
    score: float


class Study:
    """Reads rows, makes the texts to ask about, and books the answers row by row."""

    def __init__(
        self,
        positive: str,
        threshold: float | None,
        positive_in_rows: str,
        groups: Sequence[SwapGroup] | None,
        terms: Sequence[str],
    ) -> None:
        self.rows = self.asked = self.texts = self.done = 0
        self.refused: list[Refused] = []
        self.positive = positive
        self.threshold = threshold
        self._called = positive_in_rows
        self._groups = groups
        self._swappers: list[Swapper] | None = None
        self._ledgers: dict[str, Ledger] = {}
        self._terms = Terms(terms)
        self._scores = Scores(self._terms.names)
        self._versions: dict[str, dict[str, tuple[Case, _Said]]] = {}
        self._reference: str | None = None
        self._origin = Origin()
        self._last: ClassifyResult | None = None
        self._case: Case | None = None
        """The row under way, and what was said of it and its variants."""
        self._said: _Said | None = None
        self._changes: list[tuple[Variant, _Said]] = []
        self._spoilt = False

    def items(self, rows: Cases) -> Iterator[Item]:
        """The texts to classify, a row's own before its variants."""
        for number, row in enumerate(rows, start=1):
            case = case_of(row, number)
            self.rows += 1
            variants = [one for swapper in self._swaps(case) for one in swapper.variants(case.text)]
            if not variants and case.label is None and case.version_of is None:
                continue
            yield Item(case, None)
            for variant in variants:
                yield Item(case, variant)

    def _swaps(self, case: Case) -> list[Swapper]:
        if self._swappers is None:
            groups = self._groups
            if groups is None:
                groups = () if case.version_of is not None else shipped()
            self._swappers = [Swapper(group) for group in groups]
            self._ledgers = {group.name: Ledger(group.name, group.identities) for group in groups}
        return self._swappers

    def take(self, item: Item, answer: tuple[Classification, ClassifyResult] | Refused) -> None:
        if item.variant is None:
            self.close()
            self._case = item.case
        if isinstance(answer, Refused):
            if not self._spoilt:
                self.refused.append(answer)
            self._spoilt = True
            return
        found, result = answer
        if result is not self._last:
            self._origin.add(result)
            self._last = result
        self.texts += 1
        said = self._read(found)
        if item.variant is None:
            self._said = said
        else:
            self._changes.append((item.variant, said))

    def _read(self, answer: Classification) -> _Said:
        scores = {one.label: one.score for one in answer.scores}
        if self.positive not in scores:
            raise not_a_label(self.positive, list(scores))
        score = scores[self.positive]
        if self.threshold is None:
            return _Said(answer.scores[0].label, score)
        reached = score >= self.threshold
        return _Said(self.positive if reached else f"not {self.positive}", score)

    def close(self) -> None:
        """Book the row under way, all of whose answers are there."""
        case, said, changes, spoilt = self._case, self._said, self._changes, self._spoilt
        self._case, self._said, self._changes, self._spoilt = None, None, [], False
        if case is None:
            return
        self.done += 1
        if said is None or spoilt:
            return
        self.asked += 1
        for name, ledger in self._ledgers.items():
            booked = [
                (_change(case, said, variant, new), variant.mutual)
                for variant, new in changes
                if variant.group == name
            ]
            ledger.add(
                [change for change, mutual in booked if not mutual],
                [change for change, mutual in booked if mutual],
            )
        if case.label is not None:
            named = self._terms.named(case.text)
            self._scores.add(said.score, case.label == self._called, named)
        if case.version_of is not None and case.identity is not None:
            self._reference = self._reference or case.identity
            versions = self._versions.setdefault(case.version_of, {})
            if case.identity in versions:
                raise ConfigurationError(
                    f"{case.where}: {case.version_of!r} has the version {case.identity!r} twice"
                )
            versions[case.identity] = (case, said)

    @property
    def groups(self) -> tuple[GroupFigures, ...]:
        found = [ledger.figures() for ledger in self._ledgers.values()]
        if self._versions:
            found.insert(0, self._of_versions().figures())
        return tuple(found)

    @property
    def subgroups(self) -> Subgroups | None:
        return self._scores.figures() if len(self._scores) else None

    @property
    def source(self) -> Source:
        return self._origin.source

    @property
    def unpaired(self) -> int:
        """Rows in versions that have nothing to be held against."""
        return sum(
            len(versions)
            for versions in self._versions.values()
            if self._reference not in versions or len(versions) == 1
        )

    def _of_versions(self) -> Ledger:
        """Each version against that of the identity that came first."""
        ledger = Ledger(SETS)
        for versions in self._versions.values():
            if self._reference not in versions or len(versions) == 1:
                continue
            case, said = versions[self._reference]
            changes = [
                _change(case, said, Variant(SETS, self._reference, identity, new.text, False), one)
                for identity, (new, one) in versions.items()
                if identity != self._reference
            ]
            ledger.add(changes, [])
        return ledger


def _change(case: Case, said: _Said, variant: Variant, new: _Said) -> Change:
    return Change(
        where=case.where,
        group=variant.group,
        source=variant.source,
        target=variant.target,
        text=case.text,
        variant=variant.text,
        label=said.label,
        new_label=new.label,
        score=said.score,
        new_score=new.score,
    )


def not_a_label(positive: str, labels: Sequence[str]) -> ConfigurationError:
    some = ", ".join(repr(name) for name in labels[:8]) + (", …" if len(labels) > 8 else "")
    return ConfigurationError(
        f"the positive label {positive!r} is none that an answer can be",
        hint=f"The labels to choose from are {some}.",
    )
