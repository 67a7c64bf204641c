"""Sentences against documents: the spans, the support, the reasons."""

from __future__ import annotations

import numpy as np
import pytest

from llmaas_server.tasks.grounding.evidence import Grounds
from llmaas_server.tasks.grounding.judgement import Grounded, judge
from llmaas_server.tasks.text.sources import sentences_of
from support.fake_runtime import bag_of_words

DOCUMENTS = (
    "The river flood destroyed the old bridge of Marsden in 1962. Nobody was hurt. "
    "Engineers will build a new bridge for 3.5 million pounds. "
    "Alice Brown paid the mayor 40 pounds for the stones. Bob Green did not thank the mayor. "
    "Dan Young told Clara Hill the secret.",
    "The school opens in September with 120 pupils. It has a garden of roses and apples.",
)


def ground(*claims: str, documents: tuple[str, ...] = DOCUMENTS) -> list[Grounded]:
    sources = sentences_of(documents)
    vectors = np.stack([bag_of_words(source.text(documents)) for source in sources])
    grounds = Grounds(documents, sources, vectors)
    return judge(claims, np.stack([bag_of_words(claim) for claim in claims]), grounds)


def spans(found: Grounded, documents: tuple[str, ...] = DOCUMENTS) -> list[str]:
    return [source.text(documents).strip() for source in found.sources]


@pytest.mark.parametrize("document", [0, 1])
def test_a_sentence_of_the_source_rests_on_itself(document: int) -> None:
    for source in sentences_of(DOCUMENTS):
        text = source.text(DOCUMENTS).strip()
        (found,) = ground(text)
        assert found.supported
        assert found.support > 0.95
        assert spans(found)[0] == text or text in spans(found)[0]


@pytest.mark.parametrize(
    "claim",
    [
        "In 1962 a flood of the river destroyed the bridge of Marsden.",
        "The new bridge will cost 3,500,000 pounds to build.",
        "Alice Brown paid forty pounds to the mayor for the stones.",
        "The school has a garden of apples.",
    ],
)
def test_the_same_in_other_words(claim: str) -> None:
    (found,) = ground(claim)
    assert found.supported, found
    assert len(found.sources) == 1


def test_what_stands_in_several_places_has_several_spans() -> None:
    (found,) = ground("The school opens in September, and engineers build a new bridge.")
    assert found.supported
    assert [source.document for source in found.sources] == [0, 1]


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        (
            "The river flood destroyed the old bridge of Marsden in 1972.",
            "the number 1972 is not in the source",
        ),
        (
            "Engineers will build a new bridge for 40 million pounds.",
            "the number 40 million is not in the source",
        ),
        (
            "Alice Brown paid the mayor 120 pounds for the stones.",
            "the number 120 is not where the source says this",
        ),
        (
            "Carol White paid the mayor 40 pounds for the stones.",
            "the name Carol White is not in the source",
        ),
        (
            "Bob Green paid the mayor 40 pounds for the stones.",
            "the name Bob Green is not where the source says this",
        ),
        ("Bob Green thanked the mayor.", "it and the source differ in a negation: thank"),
        (
            "Clara Hill told Dan Young the secret.",
            "Clara Hill and Dan Young are the other way round in the source",
        ),
        ("Penguins swim under thick polar ice.", "nothing in the source is near enough to it"),
    ],
)
def test_what_speaks_against_a_sentence(claim: str, reason: str) -> None:
    (found,) = ground(claim)
    assert not found.supported
    assert reason in found.reasons
    assert found.support < 0.5
    assert found.sources  # where it came nearest


def test_a_swap_costs_support() -> None:
    true, false = ground(
        "Engineers will build a new bridge for 3.5 million pounds.",
        "Engineers will build a new bridge for 5.3 million pounds.",
    )
    assert true.support > 4 * false.support


def test_chinese() -> None:
    documents = ("今天河水淹没了小镇，冲走了三十座房子。工程师说老桥会在明年重建。没有人受伤。",)
    true, number, negated, other = ground(
        "河水冲走了30座房子。",
        "河水冲走了五十座房子。",
        "工程师说老桥不会在明年重建。",
        "熊猫在竹林里睡觉。",
        documents=documents,
    )
    assert true.supported, true
    assert spans(true, documents) == ["今天河水淹没了小镇，冲走了三十座房子。"]
    assert number.reasons == ("the number 五十 is not in the source",)
    assert not negated.supported
    assert not other.supported


def test_odd_sentences_are_judged_all_the_same() -> None:
    for claim in ("42", "…", "Yes.", "x" * 5000, "的", "# 1 # 2", "\u200b"):
        (found,) = ground(claim)
        assert 0.0 <= found.support <= 1.0
        assert found.sources


def test_a_source_of_one_sign() -> None:
    (found,) = ground("The bridge fell.", documents=("!",))
    assert not found.supported
