"""Numbers by value, however they are written."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.grounding.numbers import implied, numbers, values

ALIKE = [
    ("It cost 1.5 million pounds.", "It cost £1,500,000."),
    ("It cost 1.5 million pounds.", "It cost £1.5m."),
    ("Half a million came.", "500,000 people came."),
    ("Twenty-five men", "25 men"),
    ("twenty - five machines", "25 machines"),
    ("two hundred and five days", "205 days"),
    ("one hundred thousand", "100 000 is written 100,000"),
    ("one million two hundred thousand", "1.2 million"),
    ("two and a half years", "2.5 years"),
    ("thirty percent", "30 %"),
    ("30 per cent", "a share of 0.3"),
    ("the 21st of March", "March 21"),
    ("the twenty-third", "the 23rd"),
    ("two dozen eggs", "24 eggs"),
    ("in nineteen ninety", "in 1990"),
    ("twenty twenty-one", "2021"),
    ("the 1990s", "the '90s"),
    ("about 3,000 people", "2,987 people"),
    ("nearly 40", "38.7"),
    ("10km", "ten kilometres"),
    ("三十人", "30人"),
    ("三百二十五", "325"),
    ("二〇二三年", "2023年"),
    ("3万元", "30000元"),
    ("一万两千", "12000"),
    ("三点五亿", "3.5亿"),
    ("百分之三十", "30%"),
    ("三成", "百分之三十"),
    ("大约三千人", "2987人"),
    ("第三次", "第3次"),
    ("thirty people", "三十个人"),
]


@pytest.mark.parametrize(("first", "second"), ALIKE)
def test_the_same_number(first: str, second: str) -> None:
    stated = numbers(first)
    assert stated
    assert all(number.among(values(second)) for number in stated), (stated, values(second))


UNLIKE = [
    ("1.5 million", "1.5"),
    ("1.5 million", "1.5 billion"),
    ("25 men", "52 men"),
    ("205 days", "200 days and 5"),
    ("40 percent", "30 percent"),
    ("about 65 per cent", "66 per cent"),
    ("about 3,000", "2,400"),
    ("3,000", "2,987"),
    ("around 2019", "2021"),
    ("7 people", "COVID7 people"),
    ("三十人", "三百人"),
    ("三十人", "13人"),
    ("2023年", "二〇二四年"),
]


@pytest.mark.parametrize(("first", "second"), UNLIKE)
def test_another_number(first: str, second: str) -> None:
    assert not all(number.among(values(second)) for number in numbers(first))


@pytest.mark.parametrize(
    "text",
    [
        "No number here.",
        "#Person1# and GPT4 met v1.x.",
        "hundreds of people",
        "他十分高兴，万一下雨。",
    ],
)
def test_no_number(text: str) -> None:
    assert [number for number in numbers(text) if not number.loose] == []


@pytest.mark.parametrize(
    "text", ["one of them", "no one came", "at first", "one should", "this one.", "我们一起去"]
)
def test_what_may_be_none_is_loose(text: str) -> None:
    assert all(number.loose for number in numbers(text))


def test_one_that_counts_is_a_number() -> None:
    (number,) = numbers("It lasts one hour.")
    assert not number.loose


def test_words_that_stand_for_numbers() -> None:
    assert {1.0, 2.0, 0.5} <= implied("Both waited half an hour.")
    assert 2.0 in implied("双方同意。")


def test_as_it_is_written() -> None:
    texts = ["Twenty-five", "1.5 million", "30 %", "百分之三十"]
    assert [number.text for text in texts for number in numbers(text)] == texts
