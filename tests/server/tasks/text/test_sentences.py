"""Sentence borders by table, and the promise that spans tile the text."""

from __future__ import annotations

import random

import pytest

from llmaas_server.tasks.text.sentences import LONGEST, split

TABLE = [
    ("One. Two! Three?", ["One.", "Two!", "Three?"]),
    ("No border here", ["No border here"]),
    ("  Leading space. And more.  ", ["Leading space.", "And more."]),
    # abbreviations and initials
    ("Dr. Smith met Mr. Jones. They talked.", ["Dr. Smith met Mr. Jones.", "They talked."]),
    ("J. R. R. Tolkien wrote it. It sold.", ["J. R. R. Tolkien wrote it.", "It sold."]),
    ("Apple Inc. Shares rose. It grew.", ["Apple Inc. Shares rose.", "It grew."]),
    ("He works at Apple Inc. The firm grew.", ["He works at Apple Inc.", "The firm grew."]),
    ("The U.S. Senate voted. It passed.", ["The U.S. Senate voted.", "It passed."]),
    ("She lives in the U.S. He does not.", ["She lives in the U.S.", "He does not."]),
    ("At 5 p.m. The train left.", ["At 5 p.m.", "The train left."]),
    ("Fruit, e.g. Apples, is good. Eat.", ["Fruit, e.g. Apples, is good.", "Eat."]),
    ("See Fig. 3 for more. Then stop.", ["See Fig. 3 for more.", "Then stop."]),
    ("Is it so? No. He said it.", ["Is it so?", "No.", "He said it."]),
    ("Smith et al. Found it.", ["Smith et al. Found it."]),
    # numbers
    ("It costs 3.50 dollars. Pi is 3.14.", ["It costs 3.50 dollars.", "Pi is 3.14."]),
    ("It was 1999. Then 42. Done.", ["It was 1999.", "Then 42.", "Done."]),
    (
        "Version 2.0.1 is out. See example.com now.",
        ["Version 2.0.1 is out.", "See example.com now."],
    ),
    # quotes and brackets
    ('"Stop!" he cried. "Why?" She ran.', ['"Stop!" he cried.', '"Why?"', "She ran."]),
    ("He said “It ends.” Then he left.", ["He said “It ends.”", "Then he left."]),
    ("It rained (a lot.) We stayed.", ["It rained (a lot.)", "We stayed."]),
    # ellipses and small letters
    ("Well... maybe not. Yes.", ["Well... maybe not.", "Yes."]),
    ("Well… He left. Yes.", ["Well…", "He left.", "Yes."]),
    ("Yahoo! is a name. OK.", ["Yahoo! is a name.", "OK."]),
    ("hello there. how are you? fine.", ["hello there.", "how are you?", "fine."]),
    # lines
    ("A heading\n\nThe body goes on.", ["A heading", "The body goes on."]),
    ("Short title\nThe text begins here.", ["Short title", "The text begins here."]),
    (
        "This line is long enough to have been wrapped at the\nEiffel Tower by an editor. Yes.",
        [
            "This line is long enough to have been wrapped at the\nEiffel Tower by an editor.",
            "Yes.",
        ],
    ),
    ("it was wrapped\nin the middle. Yes.", ["it was wrapped\nin the middle.", "Yes."]),
    ("Buy:\n- milk\n- two eggs\n* bread", ["Buy:", "- milk", "- two eggs", "* bread"]),
    ("1. Open it.\n2. Close it.\n10. Rest", ["1. Open it.", "2. Close it.", "10. Rest"]),
    ("Ann: Hi there\nBob: Hello", ["Ann: Hi there", "Bob: Hello"]),
    ("First.\r\n\r\nSecond.", ["First.", "Second."]),
    # Chinese and Japanese
    ("今天天气很好。我们去公园吧！你来吗？", ["今天天气很好。", "我们去公园吧！", "你来吗？"]),
    ("他说：“你好。”她笑了。", ["他说：“你好。”", "她笑了。"]),
    ("“你好！”，他说。再见。", ["“你好！”，他说。", "再见。"]),
    ('他说"好。"她走了。', ['他说"好。"', "她走了。"]),
    ("価格は3.5円です。高い！？本当。", ["価格は3.5円です。", "高い！？", "本当。"]),
    ("「行こう。」と彼は言った。雨だ。", ["「行こう。」と彼は言った。", "雨だ。"]),
    ("「終わり。」『次。』", ["「終わり。」", "『次。』"]),
    ("好吗?好!走吧。", ["好吗?", "好!", "走吧。"]),
    ("第一段\n第二段落开始了。", ["第一段", "第二段落开始了。"]),
    ("他说“好。”。她走了。", ["他说“好。”。", "她走了。"]),
    ("他说……然后走了。真的……？是的。", ["他说……然后走了。", "真的……？", "是的。"]),
    ("他问：「来吗？」我说：『不来。』走了。", ["他问：「来吗？」", "我说：『不来。』", "走了。"]),
    (
        "小明（老师）说：好的。（他笑了。）大家都笑了。",
        ["小明（老师）说：好的。", "（他笑了。）", "大家都笑了。"],
    ),
    ("第一条：安全；第二条：高效。", ["第一条：安全；第二条：高效。"]),
    (
        "市政府在昨天的会议上决定重建被洪水冲走的老桥；工程师们认为新桥将在明年完工。",
        ["市政府在昨天的会议上决定重建被洪水冲走的老桥；", "工程师们认为新桥将在明年完工。"],
    ),
    ("他是U.S. 公民，见过Dr. Wang。共1.5万。", ["他是U.S. 公民，见过Dr. Wang。", "共1.5万。"]),
    ("We met 李明。 He said 你好。 Bye.", ["We met 李明。", "He said 你好。", "Bye."]),
]


@pytest.mark.parametrize(("text", "expected"), TABLE)
def test_borders(text: str, expected: list[str]) -> None:
    assert [text[span.start : span.end].strip() for span in split(text)] == expected


@pytest.mark.parametrize("text", ["", "   ", "\n\n \t"])
def test_nothing_has_no_sentence(text: str) -> None:
    assert split(text) == []


def test_spans_tile_whatever_the_text() -> None:
    dice = random.Random(7)
    alphabet = "aB3 .!?…\n\"'”。！」（、U.S Dr. 李は\r\t-:;#"
    for _ in range(500):
        text = "".join(dice.choice(alphabet) for _ in range(dice.randrange(1, 120)))
        spans = split(text)
        if not text.strip():
            assert spans == []
            continue
        assert [span.start for span in spans] == [0, *(span.end for span in spans[:-1])]
        assert spans[-1].end == len(text)
        assert all(text[span.start : span.end].strip() for span in spans)


def test_text_without_borders_is_cut_at_pauses() -> None:
    text = "word " * 1000
    spans = split(text)
    assert all(len(text[span.start : span.end].strip()) <= LONGEST for span in spans)
    assert all(text[span.start : span.end].endswith("word ") for span in spans)


def test_text_without_even_pauses_is_cut_hard() -> None:
    assert [len(span) for span in split("a" * 2500)] == [LONGEST, LONGEST, 500]


def test_long_texts_take_linear_time() -> None:
    pages = "A sentence of Dr. Smith, at 3.5 p.m. in the U.S. The next one.\n" * 20_000
    assert len(split(pages)) == 40_000
    assert len(split(" " * 1_000_000 + "x")) == 1
