"""What one text denies and the other affirms."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.grounding.polarity import contradicted

AGAINST = [
    ("The bridge was not rebuilt.", "The bridge was rebuilt in May."),
    ("The bridge was rebuilt.", "The bridge was never rebuilt."),
    ("He wants to go.", "He doesn't want to go."),
    ("There is evidence.", "There is no evidence."),
    ("The plan succeeded without help.", "The plan succeeded with help from abroad."),
    ("The model fails to converge.", "The model converged."),
    ("They slept 19 minutes earlier.", "They slept 19 minutes later."),
    ("Prices rose in May.", "Prices fell in May."),
    ("The price is lower.", "The price is higher than last year."),
    ("五月价格上升。", "五月价格下降。"),
    ("老桥没有重建。", "老桥重建了。"),
    ("他会来。他同意。", "他不同意。"),
]


@pytest.mark.parametrize(("sentence", "span"), AGAINST)
def test_a_contradiction(sentence: str, span: str) -> None:
    assert contradicted(sentence, [span]) is not None
    assert contradicted(span, [sentence]) is not None


@pytest.mark.parametrize(
    ("sentence", "span"),
    [
        ("The bridge fell.", "It did not rain, but the bridge fell."),
        ("The bridge was not rebuilt.", "Nobody rebuilt the bridge; it was never rebuilt."),
        ("It is fast.", "It is not only fast but cheap."),
        ("It avoids storing examples.", "It does not store examples."),
        ("老桥没有重建。", "老桥没有重建，雨停了。"),
        ("The tea was good.", "The coffee was not hot."),
        ("More tea, less coffee.", "Less coffee and more tea."),
        ("They open in May and close in June.", "They close in June."),
    ],
)
def test_no_contradiction(sentence: str, span: str) -> None:
    assert contradicted(sentence, [span]) is None
