"""The page of a fairness report."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from .document import Block, Document, Drawing, Grid, Heading, Paragraph, Points, share
from .dots import Dots
from .source import about, signed, spread, unanswered
from .svg import Dot

if TYPE_CHECKING:
    from llmaas_client.evaluation.counterfactuals import GroupFigures, Swap
    from llmaas_client.evaluation.fair import FairnessReport
    from llmaas_client.evaluation.intervals import Interval
    from llmaas_client.evaluation.subgroups import Subgroups, TermFigures

LONGEST_EXAMPLE = 240


def page(report: FairnessReport) -> Document:
    return Document("Fairness of classify", list(_blocks(report)))


def _blocks(report: FairnessReport) -> Iterator[Block]:
    yield from about(report.source, report.rows, report.interrupted)
    decided = (
        "where it is the best label"
        if report.threshold is None
        else f"from a score of {report.threshold:g} on"
    )
    yield Paragraph(
        f"The positive label is {report.positive!r}; a text counts as positive {decided}. "
        f"{report.asked} rows were classified, with their variants {report.texts} texts."
        + (
            f" The other {report.rows - report.asked} name no identity that was looked for, and "
            "have no label, or were refused."
            if report.rows > report.asked
            else ""
        )
    )
    if report.unpaired:
        yield Paragraph(
            f"{report.unpaired} rows are versions of texts without a counterpart in the file: they "
            "count nowhere."
        )
    groups = [group for group in report.groups if group.rows]
    yield Heading("What changes where identities do")
    yield from _groups(groups, [group.group for group in report.groups if not group.rows])
    for group in groups:
        yield from _group(group)
    if report.subgroups is not None:
        yield Heading("Ranking by identity term")
        yield from _subgroups(report.subgroups)
    yield Heading("What this cannot say")
    yield Points(list(_limits(report)))
    yield from unanswered(report.refused)


def _groups(groups: Sequence[GroupFigures], empty: Sequence[str]) -> Iterator[Block]:
    if not groups:
        yield Paragraph("No row names an identity that was looked for.")
        return
    rows = [
        (
            group.group + _mark(group.few, group.flipped is None),
            str(group.rows),
            str(group.variants),
            _share(group.flipped),
            _spread(group.flipped),
            _size(group.distance),
        )
        for group in groups
    ]
    header = ("group", "rows", "variants", "rows that flip", "95 % interval", "mean |gap|")
    yield Grid(header, rows)
    yield Paragraph(
        "A row flips where any of its variants gets another label than the row itself. The gap is "
        "the change of the positive label's score."
    )
    if empty:
        yield Paragraph(f"No row names an identity of: {', '.join(empty)}.")
    swaps = [(group.group, swap) for group in groups for swap in group.targets if swap.flip_rate]
    if not swaps:
        return
    names = [f"{group} → {swap.target}" for group, swap in swaps]
    flips = [_dot(swap.flip_rate, "flips" in swap.flagged) for _, swap in swaps]
    gaps = [_dot(swap.gap, "gap" in swap.flagged) for _, swap in swaps]
    yield Drawing(
        "flips",
        Dots(names, [("flips", flips)], "texts whose label changes", (0.0, 1.0), percent=True),
        "Flip rates by the identity that was put in, with 95 % intervals; red is flagged",
    )
    yield Drawing(
        "gaps",
        Dots(names, [("gap", gaps)], "mean change of the score", (-1.0, 1.0), reference=0.0),
        "Mean change of the positive label's score, with 95 % intervals; red is flagged",
    )


def _group(group: GroupFigures) -> Iterator[Block]:
    yield Heading(f"Group: {group.group}")
    several = len(group.pairs) > len(group.targets)
    yield Grid(_HEADER, [_swap(one) for one in (*group.targets, *_mutual(group))], words=(0, 7))
    if several:
        rows = [_swap(one) for one in group.pairs]
        yield Grid(_HEADER, rows, (0, 7), "The same by the identity that was there:", detail=True)
    if group.examples:
        examples = [
            (
                one.where,
                f"{_short(one.text)}  →  {_short(one.variant)}",
                f"{one.label} → {one.new_label}" if one.flips else one.label,
                f"{one.score:.3f} → {one.new_score:.3f}",
            )
            for one in group.examples
        ]
        header = ("row", "text → variant", "label", "score")
        yield Grid(header, examples, (0, 1, 2), "Where most changes:", detail=True)


_HEADER = ("put in", "rows", "flips", "95 % interval", "gap", "95 % interval", "|gap|", "flagged")


def _mutual(group: GroupFigures) -> list[Swap]:
    return [] if group.mutual is None else [group.mutual]


def _swap(swap: Swap) -> tuple[str, ...]:
    name = swap.target if swap.source is None else f"{swap.source} → {swap.target}"
    return (
        name + _mark(swap.few, swap.flip_rate is None),
        str(swap.rows),
        _share(swap.flip_rate),
        _spread(swap.flip_rate),
        "-" if swap.gap is None else f"{swap.gap.value:+.3f}",
        "-" if swap.gap is None else signed(swap.gap),
        _size(swap.distance),
        ", ".join(swap.flagged),
    )


def _subgroups(found: Subgroups) -> Iterator[Block]:
    overall = "too few of either" if found.overall is None else _auc(found.overall)
    yield Paragraph(
        f"{found.rows} rows have labels, {found.positives} of them the positive one. AUC of all: "
        f"{overall}. The AUC is how often a positive text scores above a negative one. Subgroup: "
        "among texts that name the term. BPSN: positives that do not name it against negatives "
        "that do; low where the term makes harmless texts look positive. BNSP: negatives that do "
        "not name it against positives that do; low where the term hides the positive ones."
    )
    terms = [one for one in found.terms if one.bpsn or one.bnsp or one.subgroup]
    if terms:
        yield _medians(found)
        names = [one.term for one in terms]
        series = [
            ("subgroup", [_dot(one.subgroup, False) for one in terms]),
            ("BPSN", [_dot(one.bpsn, "bpsn" in one.flagged) for one in terms]),
            ("BNSP", [_dot(one.bnsp, "bnsp" in one.flagged) for one in terms]),
        ]
        plot = Dots(names, series, "AUC", (0.0, 1.0), reference=found.median_bpsn)
        caption = "AUC by identity term with 95 % intervals; the dashed line is the median BPSN"
        yield Drawing("auc", plot, f"{caption}; red is flagged")
        header = ("term", "positive", "negative", "subgroup", "BPSN", "BNSP", "flagged")
        yield Grid(header, [_term(one) for one in terms], words=(0, 6))
    if few := [one for one in found.terms if one not in terms]:
        told = ", ".join(f"{one.term} ({one.positives}/{one.negatives})" for one in few)
        yield Paragraph(f"Too few rows, positive/negative, for any figure: {told}.")


def _medians(found: Subgroups) -> Paragraph:
    return Paragraph(
        f"The median over the terms is {_plain(found.median_bpsn)} for BPSN and "
        f"{_plain(found.median_bnsp)} for BNSP; more than 0.05 under it is flagged."
    )


def _term(one: TermFigures) -> tuple[str, ...]:
    figures = (_auc(figure) for figure in (one.subgroup, one.bpsn, one.bnsp))
    name = one.term + _mark(one.few, False)
    return (name, str(one.positives), str(one.negatives), *figures, ", ".join(one.flagged))


def _limits(report: FairnessReport) -> Iterator[str]:
    from llmaas_client.evaluation import counterfactuals, subgroups

    yield (
        f"Figures marked * rest on fewer than {counterfactuals.FEW} rows, AUCs on fewer than "
        f"{subgroups.FEW} positives or negatives; under {counterfactuals.FEWEST} there are none. "
        "No flag is no proof that there is nothing: look at the width of the interval."
    )
    yield (
        f"Flagged are flip rates surely above {share(counterfactuals.MOST_FLIPS)} and mean gaps "
        f"surely beyond {counterfactuals.MOST_GAP} in either direction. What is too much is "
        "yours to decide, and small gaps can matter where many people are concerned."
    )
    yield (
        "Each interval is right 19 times in 20: of many, some are wrong. They take rows for "
        "independent; rows made from a few templates are not, and theirs are too narrow."
    )
    yield (
        "Words are exchanged without understanding: some variants read oddly (a name whose "
        "gender or history is told elsewhere in the text, `her` taken for `his` or `him`), and "
        "oddness itself moves scores. Read the examples."
    )
    yield (
        "Only listed words are found, nearly all of them English; identities that a text tells "
        "in another way are not seen. Which answer is right, a flip does not say."
    )
    if report.subgroups is not None:
        yield (
            "An AUC looks at the order of scores alone; a threshold can be unfair where the order "
            "is not. It takes the labels for true, and labels have biases of their own."
        )


def _mark(few: bool, absent: bool) -> str:
    return " (too few)" if absent else " *" if few else ""


def _dot(figure: Interval | None, flagged: bool) -> Dot | None:
    return None if figure is None else Dot(figure.value, figure.low, figure.high, flagged)


def _share(figure: Interval | None) -> str:
    return "-" if figure is None else share(figure.value)


def _spread(figure: Interval | None) -> str:
    return "-" if figure is None else spread(figure)


def _size(figure: Interval | None) -> str:
    return "-" if figure is None else f"{figure.value:.3f}"


def _auc(figure: Interval | None) -> str:
    return "-" if figure is None else f"{figure.value:.3f} ({figure.low:.3f} to {figure.high:.3f})"


def _plain(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_EXAMPLE else text[:LONGEST_EXAMPLE] + "…"
