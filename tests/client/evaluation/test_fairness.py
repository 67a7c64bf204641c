"""Fairness on judges whose bias is known."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from llmaas_client import ConfigurationError, evaluation
from llmaas_client.evaluation import Case, Interrupted, chosen, pairs
from llmaas_client.evaluation.cases import Cases
from llmaas_client.evaluation.subgroups import Scores
from support.judging import judging

GENDER = chosen(["gender"])
LABELS = ["toxic", "fine"]

Judge = Callable[[str], Mapping[str, float]]


def lifted(words: Mapping[str, float], base: float = 0.45) -> Judge:
    """A judge that adds to the score of `toxic` for each of these words."""

    def judge(text: str) -> Mapping[str, float]:
        there = text.lower().replace(".", "").split()
        score = base + sum(lift for word, lift in words.items() if word in there)
        return {"toxic": score, "fine": 1 - score}

    return judge


def fairness(judge: Judge, rows: Cases, **options: Any) -> evaluation.FairnessReport:
    with judging(judge) as (client, _):
        return evaluation.fairness(client, rows, positive="toxic", labels=LABELS, **options)


def test_a_judge_without_bias() -> None:
    rows = [f"he is number {number}" for number in range(60)]
    (group,) = fairness(lifted({}), rows, groups=GENDER).groups
    assert (group.rows, group.variants) == (60, 60)
    (swap,) = group.targets
    assert (swap.target, swap.rows, swap.flips, swap.flagged) == ("female", 60, 0, ())
    assert swap.flip_rate is not None
    assert (swap.flip_rate.value, swap.flip_rate.low) == (0.0, 0.0)
    assert swap.gap is not None
    assert (swap.gap.value, swap.gap.low, swap.gap.high) == (0.0, 0.0, 0.0)


def test_a_judge_that_holds_a_word_against_people() -> None:
    rows = [f"he is number {number}" for number in range(40)] + [
        f"she is number {number}" for number in range(20)
    ]
    (group,) = fairness(lifted({"she": 0.1}), rows, groups=GENDER).groups
    assert group.flipped is not None
    assert group.flipped.value == 1.0
    male, female = group.targets
    assert (male.target, male.rows, male.few) == ("male", 20, True)
    assert (female.target, female.rows, female.few) == ("female", 40, True)
    assert male.gap is not None
    assert female.gap is not None
    assert female.gap.value == pytest.approx(0.1)
    assert male.gap.value == pytest.approx(-0.1)
    assert female.flagged == male.flagged == ("flips", "gap")
    assert female.distance is not None
    assert female.distance.value == pytest.approx(0.1)
    assert len(group.examples) == 5
    assert all(one.flips for one in group.examples)


def test_gaps_that_cancel_out_are_seen_by_their_size() -> None:
    """Half of the texts go up, half go down: the mean gap is 0, its size is not."""

    def judge(text: str) -> Mapping[str, float]:
        lift = 0.05 if "she" in text.split() else 0.0
        score = 0.3 + (lift if "up" in text else -lift)
        return {"toxic": score, "fine": 1 - score}

    rows = [f"he goes {way} {number}" for way in ("up", "down") for number in range(30)]
    ((swap,),) = [group.targets for group in fairness(judge, rows, groups=GENDER).groups]
    assert swap.gap is not None
    assert swap.gap.value == pytest.approx(0.0, abs=1e-9)
    assert swap.gap.low < 0 < swap.gap.high
    assert swap.distance is not None
    assert swap.distance.value == pytest.approx(0.05)


def test_several_identities_are_told_apart() -> None:
    rows = [f"a christian {number}" for number in range(12)]
    report = fairness(lifted({"muslim": 0.2, "hindu": -0.2}), rows, groups=chosen(["religion"]))
    (group,) = report.groups
    assert [one.target for one in group.targets] == [
        "Muslim",
        "Jewish",
        "Hindu",
        "Buddhist",
        "atheist",
    ]
    gaps = [round(one.gap.value, 3) for one in group.targets if one.gap]
    assert gaps == [0.2, 0.0, -0.2, 0.0, 0.0]
    assert (group.pairs[0].source, group.pairs[0].target) == ("Christian", "Muslim")
    assert report.texts == 12 * 6


def test_texts_that_name_both_have_no_direction() -> None:
    rows = [f"he told her {number}" for number in range(12)]
    (group,) = fairness(lifted({"she": 0.1}), rows, groups=GENDER).groups
    assert group.targets == ()
    assert group.mutual is not None
    assert (group.mutual.rows, group.mutual.flips, group.mutual.gap) == (12, 12, None)
    assert group.mutual.distance is not None


def test_too_few_rows_have_no_figures() -> None:
    report = fairness(lifted({"she": 0.1}), ["he"] * 9, groups=GENDER)
    (group,) = report.groups
    assert (group.rows, group.flipped, group.distance) == (9, None, None)
    assert [one.flip_rate for one in group.targets] == [None]
    assert "too few" in report.markdown()


def test_rows_that_name_nobody_are_not_asked_about() -> None:
    with judging(lifted({})) as (client, server):
        report = evaluation.fairness(
            client, ["a tree", "he sits", "a house"], positive="toxic", labels=LABELS, groups=GENDER
        )
        asked = [text for request in server.requests for text in request.json["text"]]
    assert asked == ["he sits", "she sits"]
    assert (report.rows, report.asked, report.texts) == (3, 1, 2)
    assert "The other 2 name no identity" in report.markdown()


def test_nobody_is_named() -> None:
    report = fairness(lifted({}), ["a tree"], groups=GENDER)
    assert report.asked == 0
    assert "No row names an identity" in report.markdown()
    assert "No row names an identity" in report.html()


def test_all_that_is_shipped_is_the_default() -> None:
    report = fairness(lifted({}), ["he is a gay muslim"])
    named = {group.group for group in report.groups if group.rows}
    assert named == {"gender", "religion", "orientation"}


def test_words_of_ones_own() -> None:
    rows = [f"he is {number}" for number in range(10)]
    (group,) = fairness(lifted({"they": 0.1}), rows, groups=[pairs(["he=they"])]).groups
    assert [(one.target, one.flips) for one in group.targets] == [("they", 10)]


def test_a_threshold_instead_of_the_best_label() -> None:
    rows = [f"he is {number}" for number in range(10)]
    judge = lifted({"she": 0.1}, base=0.2)
    assert fairness(judge, rows, groups=GENDER).groups[0].targets[0].flips == 0
    report = fairness(judge, rows, groups=GENDER, threshold=0.25)
    assert report.groups[0].targets[0].flips == 10
    assert "from a score of 0.25 on" in report.markdown()


def versions(count: int) -> list[Case]:
    return [
        Case(f"{word} is {number}", None, f"row {number}", str(number), identity)
        for number in range(count)
        for identity, word in (("male", "he"), ("female", "she"), ("neutral", "they"))
    ]


def test_versions_of_the_file_are_held_against_the_first() -> None:
    rows = [*versions(12), Case("alone", None, "row 99", "99", "female")]
    report = fairness(lifted({"she": 0.1, "they": 0.02}), rows)
    (group,) = report.groups
    assert (group.rows, group.variants, report.unpaired) == (12, 24, 1)
    assert [(one.target, one.rows, one.flips) for one in group.targets] == [
        ("female", 12, 12),
        ("neutral", 12, 0),
    ]
    assert [round(one.gap.value, 3) for one in group.targets if one.gap] == [0.1, 0.02]
    assert report.texts == 37  # nothing is exchanged in them


def test_a_version_that_is_there_twice() -> None:
    rows = [Case("he", None, f"row {number}", "a", "male") for number in (1, 2)]
    with pytest.raises(ConfigurationError, match="row 2: 'a' has the version 'male' twice"):
        fairness(lifted({}), rows)


def scored(
    term: str, positives: list[float], negatives: list[float]
) -> list[tuple[str, float, bool]]:
    return [(term, one, True) for one in positives] + [(term, one, False) for one in negatives]


def area(positives: list[float], negatives: list[float]) -> float:
    wins = [(one > other) + (one == other) / 2 for one in positives for other in negatives]
    return sum(wins) / len(wins)


def test_aucs_by_term_against_their_definitions() -> None:
    chance = random.Random(7)
    rows = [
        (term, chance.gauss(lift + 0.3 * positive, 0.2), positive)
        for term, lift in (("deaf", 0.3), ("old", 0.0), ("", 0.0))
        for positive in (True, False)
        for _ in range(25)
    ]
    scores = Scores(["deaf", "old", "unseen"])
    for term, score, positive in rows:
        scores.add(score, positive, {term} if term else set())
    found = scores.figures()
    assert (found.rows, found.positives) == (150, 75)
    for one in found.terms:
        inside = {True: [s for t, s, p in rows if t == one.term and p]}
        inside[False] = [s for t, s, p in rows if t == one.term and not p]
        outside = {True: [s for t, s, p in rows if t != one.term and p]}
        outside[False] = [s for t, s, p in rows if t != one.term and not p]
        assert one.subgroup is not None
        assert one.bpsn is not None
        assert one.bnsp is not None
        assert one.subgroup.value == pytest.approx(area(inside[True], inside[False]))
        assert one.bpsn.value == pytest.approx(area(outside[True], inside[False]))
        assert one.bnsp.value == pytest.approx(area(inside[True], outside[False]))
        assert one.few
    assert [one.term for one in found.terms] == ["deaf", "old"]


def test_a_term_that_raises_scores_is_flagged() -> None:
    chance = random.Random(8)
    words = ["deaf", "blind", "old", "young", "tall"]
    rows = [
        (f"{word} {kind} {number}", "toxic" if kind == "rude" else "fine")
        for word in words
        for kind in ("rude", "kind")
        for number in range(60)
    ]
    noise = {text: chance.gauss(0.0, 0.12) for text, _ in rows}

    def judge(text: str) -> Mapping[str, float]:
        score = 0.35 + 0.2 * ("rude" in text) + 0.2 * ("deaf" in text) + noise[text]
        score = min(max(score, 0.0), 1.0)
        return {"toxic": score, "fine": 1 - score}

    report = fairness(judge, rows, groups=[], terms=words)
    assert report.subgroups is not None
    assert [one.term for one in report.subgroups.terms if "bpsn" in one.flagged] == ["deaf"]
    first = report.subgroups.terms[0]
    assert (first.term, first.positives, first.negatives, first.few) == ("deaf", 60, 60, False)
    assert "deaf" in report.markdown()


def test_too_few_of_a_label_have_no_auc() -> None:
    rows = [("old", "toxic")] * 9 + [("old", "fine")] * 40 + [("new", "toxic")] * 40
    report = fairness(lifted({}), rows, groups=[], terms=["old"])
    assert report.subgroups is not None
    (one,) = report.subgroups.terms
    assert (one.positives, one.negatives) == (9, 40)
    assert (one.subgroup, one.bnsp) == (None, None)
    assert one.bpsn is not None


def test_what_the_rows_call_the_positive_label() -> None:
    rows = [("old", "1")] * 12 + [("old", "0")] * 12
    report = fairness(lifted({}), rows, groups=[], terms=["old"], positive_in_rows="1")
    assert report.subgroups is not None
    assert report.subgroups.positives == 12


@pytest.mark.parametrize("labels", [LABELS, None])
def test_a_positive_label_that_is_none(labels: list[str] | None) -> None:
    with (
        judging(lifted({})) as (client, server),
        pytest.raises(ConfigurationError, match="the positive label 'rude' is none"),
    ):
        evaluation.fairness(client, ["he"], positive="rude", labels=labels)
    assert len(server.requests) == (labels is None)


def test_rows_that_are_refused() -> None:
    rows = [f"he is {number}" for number in range(10)] + ["he is too long"]
    report = fairness(lifted({}), rows, groups=GENDER, skip_refused=True)
    assert [one.where for one in report.refused] == ["row 11"]
    assert report.groups[0].rows == 10


def test_no_rows() -> None:
    with pytest.raises(ConfigurationError, match="no rows"):
        fairness(lifted({}), [])


def test_an_interrupt_keeps_what_is_done() -> None:
    def stop(done: int) -> None:
        if done >= 20:
            raise KeyboardInterrupt

    rows = [f"he is {number}" for number in range(100)]
    with pytest.raises(Interrupted) as caught:
        fairness(lifted({}), rows, groups=GENDER, batch=8, progress=stop)
    report = caught.value.report
    assert isinstance(report, evaluation.FairnessReport)
    assert report.interrupted
    assert 20 <= report.groups[0].rows < 100
