"""Words with and without spaces."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.text import words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("one", 1),
        ("one two  three\nfour", 4),
        ("well-known don't 3.14", 3),
        ("a - b", 3),
        ("今天天气很好。", 7),
        ("在2023年", 3),
        ("我用Python写代码", 6),
        ("Hello 世界", 3),
        ("他说“好”", 5),
        ("东京は大きい……", 8),
        ("ภาษาไทย", 7),
        ("한국어 단어", 2),
        ("😀 smile", 2),
    ],
)
def test_count(text: str, expected: int) -> None:
    assert words.count(text) == expected
    assert words.count(text) >= len(text.split())


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("one two three", 3, "one two three"),
        ("one two three", 2, "one two…"),
        ("one, two three", 1, "one…"),
        ("今天天气很好", 6, "今天天气很好"),
        ("今天天气很好", 4, "今天天…"),
        ("今天", 1, "今"),
    ],
)
def test_cut(text: str, most: int, expected: str) -> None:
    assert words.cut(text, most) == expected
    assert words.count(expected) <= most


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        ("", "One.", "One."),
        ("One.", "Two.", "One. Two."),
        ("今天。", "明天。", "今天。明天。"),
        ("他说“好。”", "走了。", "他说“好。”走了。"),
        ("今天。", "Then don't.", "今天。 Then don't."),
        ("Then.", "今天。", "Then. 今天。"),
    ],
)
def test_join_adds_no_words(left: str, right: str, expected: str) -> None:
    assert words.join(left, right) == expected
    assert words.count(expected) == words.count(left) + words.count(right)
