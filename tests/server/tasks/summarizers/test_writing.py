"""A written summary keeps its limits, however the model writes and however it streams."""

from __future__ import annotations

import pytest

from llmaas_server.tasks.summarizers.shape import Shape
from llmaas_server.tasks.summarizers.writing import Writing
from llmaas_server.tasks.text import words


def write(text: str, shape: Shape, *, complete: bool = True, size: int = 1) -> Writing:
    writing = Writing(shape)
    streamed = ""
    for start in range(0, len(text), size):
        streamed += writing.push(text[start : start + size])
        if writing.full:
            break
    else:
        streamed += writing.finish(complete=complete)
    assert streamed == writing.summary
    return writing


@pytest.mark.parametrize("size", [1, 3, 1000])
@pytest.mark.parametrize(
    ("text", "shape", "complete", "expected"),
    [
        ("One. Two. Three.", Shape(4), True, "One. Two. Three."),
        ("One. Two. Three.", Shape(2), True, "One. Two."),
        ("Mr. J. Smith came. He left.", Shape(4), True, "Mr. J. Smith came. He left."),
        ("One is here. Two is he", Shape(4), False, "One is here."),
        ("One is not ended,", Shape(4), False, "One is not ended,…"),
        ("One. Two.\n\nThree.", Shape(4), True, "One. Two. Three."),
        ("1. First.\n2. Second.", Shape(4), True, "First. Second."),
        ("Here is a summary: It rained. It stopped.", Shape(4), True, "It rained. It stopped."),
        ("Summary: It rained.", Shape(4), True, "It rained."),
        ("Again. Again. Other.", Shape(4), True, "Again. Other."),
        ("今天下雨。明天晴。后天阴。", Shape(2), True, "今天下雨。明天晴。"),
        ("One. Two.", Shape(4, style="bullets"), True, "- One.\n- Two."),
        ("- One.\n- Two.", Shape(4, style="bullets"), True, "- One.\n- Two."),
        ("A b c. D e f. G.", Shape(4, max_words=5), True, "A b c."),
        ("A b c. D e f. G.", Shape(4, max_words=6), True, "A b c. D e f."),
        ("A b c d e f.", Shape(4, max_words=3), True, "A b c…"),
        ("A b c. D.", Shape(4, max_words=3, style="bullets"), True, "- A b…"),
        ("今天下雨。明天晴。", Shape(4, max_words=4), True, "今天下…"),
        ("", Shape(4), True, ""),
        ("A b c d. E f.", Shape(4, max_words=1, style="bullets"), True, "A…"),
        ("One falls<n>Two rises.", Shape(4), True, "One falls Two rises."),
        ("One is \0here.", Shape(4), True, "One is here."),
        ("It rained. Here they are:\n- It poured.", Shape(4), True, "It rained. It poured."),
        ("It rained. It rained! It rained. It poured.", Shape(4), True, "It rained."),
    ],
)
def test_limits(text: str, shape: Shape, complete: bool, expected: str, size: int) -> None:
    writing = write(text, shape, complete=complete, size=size)
    assert writing.summary == expected
    assert shape.max_words is None or words.count(writing.summary) <= shape.max_words
    rebuilt = ""
    for sentence in writing.sentences:
        rebuilt = shape.extend(rebuilt, sentence)
    assert rebuilt == writing.summary


def test_sentences_of_the_prompt_are_no_summary() -> None:
    writing = Writing(Shape(4), echoes=lambda sentence: sentence == "Summarize the text.")
    writing.push("Summarize the text. It rained.")
    writing.finish(complete=True)
    assert writing.sentences == ["It rained."]


def test_sentences_that_were_written_apart() -> None:
    writing = Writing(Shape(3))
    writing.push("It rained.")
    writing.finish(complete=True)
    gained = writing.extend(["It rained.", "It poured.", "The bridge fell.", "All ran."])
    assert gained == " It poured. The bridge fell."
    assert writing.sentences == ["It rained.", "It poured.", "The bridge fell."]
    assert writing.full
