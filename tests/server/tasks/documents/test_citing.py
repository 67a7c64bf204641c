"""Which sentences of an answer claim something."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.documents.citing import sentences_of_answer


@pytest.mark.parametrize(
    ("sentence", "claims"),
    [
        ("The shop opens at nine.", True),
        ("Does that help?", False),
        ("这有帮助吗？", False),
        ("The documents do not say when.", False),
        ("The document doesn't mention the colour.", False),
        ("The passages say nothing about the weather.", False),
        ("The price is not mentioned in the documents.", False),
        ("文档中没有提到价格。", False),
        ("The document says that water damage is not covered.", True),
        ("We do not ship to post boxes.", True),
        ("Documents are not returned.", True),
    ],
)
def test_claims(sentence: str, claims: bool) -> None:
    assert [sentence[one.start : one.end] for one in sentences_of_answer(sentence)] == (
        [sentence] if claims else []
    )


def test_spans_stand_in_the_answer() -> None:
    answer = "  One is true.\n\nIs it? Two is, too.  "
    spans = sentences_of_answer(answer)
    assert [answer[one.start : one.end].strip() for one in spans] == [
        "One is true.",
        "Two is, too.",
    ]
