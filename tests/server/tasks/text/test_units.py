"""Words that can be left out: they tile a text, and what is left of it is still a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmaas_server.tasks.text.units import Unit, grouped, without, words_of


def texts(text: str, tokens: set[int] | None = None) -> list[str]:
    return [text[word.start : word.end] for word in words_of(text, tokens)]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("I love it, really!  Yes.", ["I", "love", "it,", "really!", "Yes."]),
        ("don't — stop", ["don't", "—", "stop"]),
        ("很好。我喜欢！", ["很", "好。", "我", "喜", "欢！"]),
        ("2023年，iPhone卖得好", ["2023", "年，", "iPhone", "卖", "得", "好"]),
        ("价格是3.5元", ["价", "格", "是", "3.5", "元"]),
        ("《红楼梦》很（非常）好", ["《红", "楼", "梦》", "很", "（非", "常）", "好"]),
        ("コーヒーは美味しい。", ["コーヒー", "は", "美", "味", "しい。"]),
        ("hello 世界!! you", ["hello", "世", "界!!", "you"]),
        ("한국어는 쉽다.", ["한국어는", "쉽다."]),
        ("  \n a", ["a"]),
    ],
)
def test_words(text: str, words: list[str]) -> None:
    assert texts(text) == words


def test_what_is_one_token_is_one_word() -> None:
    text = "今天天气很好，ok"
    assert texts(text, {0, 2, 4, 5, 6, 7}) == ["今天", "天气", "很", "好，", "ok"]
    assert texts(text, {0, 1, 2, 3, 4, 5, 6, 7}) == ["今", "天", "天", "气", "很", "好，", "ok"]
    # Tokens that are parts of a word do not take it apart.
    assert texts("unbelievable", {0, 2, 9}) == ["unbelievable"]


@given(st.text("ab 。，好カは(（“”.\n\u0301", max_size=30))
def test_words_tile_the_text(text: str) -> None:
    words = words_of(text)
    assert "".join(text[word.start : word.end] for word in words) == "".join(text.split())
    assert all(word.start < word.end for word in words)
    for number in range(len(words)):
        left = [text[word.start : word.end] for i, word in enumerate(words) if i != number]
        assert "".join(without(text, words, {number}).split()) == "".join(left)
    if words:
        assert without(text, words, set()) == text


def test_leaving_out() -> None:
    text = "A good,\nlong film. "
    words = words_of(text)
    assert without(text, words, [0]) == "good,\nlong film. "
    assert without(text, words, [1]) == "A long film. "
    assert without(text, words, [3]) == "A good,\nlong"
    assert without(text, words, [0, 1, 2, 3]) == ""


def test_grouping() -> None:
    words = [Unit(2 * i, 2 * i + 1) for i in range(10)]
    assert grouped(words, 10) == words
    assert grouped(words, 4) == [Unit(0, 3), Unit(4, 9), Unit(10, 13), Unit(14, 19)]
    assert len(grouped(words[:7], 3)) == 3
