"""The parts of answers, however their text is cut into pieces."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

import pytest

from llmaas_server.tasks.answers.marks import Marks
from llmaas_server.tasks.answers.parts import PartReader, Piece
from llmaas_server.tasks.answers.reasoning import Thinking
from llmaas_server.tasks.answers.shape import Shape
from llmaas_server.tasks.tools.formats import (
    FALLBACK,
    HERMES,
    LLAMA3,
    MISTRAL,
    MISTRAL_NAMED,
    CallFormat,
)

THINK = Thinking("<think>", "</think>")
NAMES = frozenset({"look", "add"})
PLAIN = Shape()
THINKING = Shape(thinking=THINK)
BEGUN = Shape(thinking=THINK, begun=True)


def calling(form: CallFormat, *marks: str) -> Shape:
    ids = {mark: 1000 + number for number, mark in enumerate(marks)}
    return Shape(calls=form, names=NAMES, marks=Marks(ids))


TAGGED = calling(HERMES)
MARKED = calling(HERMES, *HERMES.marks)
TOOLS = calling(MISTRAL, *MISTRAL.marks)
NAMED = calling(MISTRAL_NAMED, *MISTRAL_NAMED.marks)
BARE = calling(LLAMA3)
LOOK = '{"name": "look", "arguments": {"at": "a } \\"b\\" {"}}'
ADD = '{"name": "add", "arguments": {"of": [1, {"x": 2}]}}'


@dataclass
class Read:
    content: str = ""
    reasoning: str = ""
    calls: list[tuple[str, str]] = field(default_factory=list)
    whole: int = 0
    width: int = 0

    def take(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            self.width += piece.width
            if piece.part == "content":
                self.content += piece.text
            elif piece.part == "reasoning":
                self.reasoning += piece.text
            elif piece.name is not None:
                assert piece.call == len(self.calls)
                self.calls.append((piece.name, ""))
            elif piece.call is not None:
                name, text = self.calls[piece.call]
                self.calls[piece.call] = (name, text + piece.text)


def read(shape: Shape, pieces: Iterable[str], stops: Iterable[str] = ()) -> Read:
    reader = PartReader(shape, stops)
    found = Read()
    for piece in pieces:
        found.take(reader.push(piece))
        if reader.stopped:
            break
    if not reader.stopped:
        found.take(reader.finish())
    found.whole = reader.whole_calls
    return found


def cuts(text: str) -> Iterator[list[str]]:
    yield [text]
    yield list(text)
    for at in range(1, len(text)):
        yield [text[:at], text[at:]]


CASES: list[tuple[Shape, str, Read]] = [
    (PLAIN, "Hello <think>x</think>", Read("Hello <think>x</think>")),
    (THINKING, "Hello", Read("Hello")),
    (THINKING, "  Hello", Read("  Hello")),
    (THINKING, "<thin", Read("<thin")),
    (THINKING, "<think>\na b\n</think>\n\nc ", Read("c ", "a b")),
    (THINKING, "\n<think>a</think>c</think>", Read("c</think>", "a")),
    (THINKING, "<think>\n\n</think>\n\nc", Read("c")),
    (THINKING, "<think>a </thin", Read("", "a </thin")),
    (BEGUN, "\na\n\nb\n</think>\nc", Read("c", "a\n\nb")),
    (BEGUN, "a", Read("", "a")),
    (TAGGED, "just <tool", Read("just <tool")),
    (TAGGED, "words \n", Read("words \n")),
    (
        TAGGED,
        f"Let me see. \n<tool_call>\n{LOOK}\n</tool_call>",
        Read("Let me see.", calls=[("look", '{"at": "a } \\"b\\" {"}')], whole=1),
    ),
    (
        TAGGED,
        f"<tool_call>\n{ADD}\n</tool_call>\n<tool_call>\n{LOOK}\n</tool_call>",
        Read(
            calls=[("add", '{"of": [1, {"x": 2}]}'), ("look", '{"at": "a } \\"b\\" {"}')], whole=2
        ),
    ),
    (TAGGED, '<tool_call>\n{"name": "look", "arg', Read()),
    (
        TAGGED,
        '<tool_call>\n{"name": "look", "arguments": {"at": "a',
        Read(calls=[("look", '{"at": "a')]),
    ),
    (TAGGED, f"<tool_call>\n{ADD}"[:-1], Read(calls=[("add", '{"of": [1, {"x": 2}]}')], whole=1)),
    (
        calling(FALLBACK),
        f"x <tool_call>\n{ADD}\n</tool_call>",
        Read("x", calls=[("add", '{"of": [1, {"x": 2}]}')], whole=1),
    ),
    (MARKED, "the text <tool_call>\n is text", Read("the text <tool_call>\n is text")),
    (
        MARKED,
        MARKED.marks.encode(f"a<tool_call>\n{ADD}\n</tool_call>"),
        Read("a", calls=[("add", '{"of": [1, {"x": 2}]}')], whole=1),
    ),
    (
        TOOLS,
        TOOLS.marks.encode(f"[TOOL_CALLS][{ADD}, {LOOK}]"),
        Read(
            calls=[("add", '{"of": [1, {"x": 2}]}'), ("look", '{"at": "a } \\"b\\" {"}')], whole=2
        ),
    ),
    (
        NAMED,
        NAMED.marks.encode('[TOOL_CALLS]add[ARGS]{"a": 1}[TOOL_CALLS]look[ARGS]{}'),
        Read(calls=[("add", '{"a": 1}'), ("look", "{}")], whole=2),
    ),
    (
        BARE,
        '{"name": "look", "parameters": {"at": "x"}}',
        Read(calls=[("look", '{"at": "x"}')], whole=1),
    ),
    (BARE, '{"name": "Bob", "parameters": {}}', Read('{"name": "Bob", "parameters": {}}')),
    (BARE, '{"name": "Bob"}', Read('{"name": "Bob"}')),
    (BARE, ' {"name": "look", "parameters": {}}', Read(' {"name": "look", "parameters": {}}')),
    (
        replace(TAGGED, thinking=THINK),
        f"<think>\nI look.\n</think>\n\nWell.\n<tool_call>\n{ADD}\n</tool_call>",
        Read("Well.", "I look.", [("add", '{"of": [1, {"x": 2}]}')], 1),
    ),
]


@pytest.mark.parametrize(("shape", "text", "want"), CASES)
def test_parts_do_not_depend_on_how_the_text_comes(shape: Shape, text: str, want: Read) -> None:
    for pieces in cuts(text):
        found = read(shape, pieces)
        assert replace(found, width=0) == want, pieces
        assert found.width <= len(text)


@pytest.mark.parametrize("shape", [PLAIN, THINKING, BEGUN, TAGGED, BARE])
def test_every_character_of_plain_text_is_given_out(shape: Shape) -> None:
    text = "Some words, and more.\n"
    assert read(shape, list(text)).width == len(text)


def test_stop_strings_count_in_content_alone() -> None:
    shape = replace(TAGGED, thinking=THINK)
    call = f"<tool_call>\n{LOOK}\n</tool_call>"
    for pieces in cuts(f"<think>a STOP</think>b c\n{call}"):
        found = read(shape, pieces, ["STOP", "look"])
        assert (found.reasoning, found.content, found.whole) == ("a STOP", "b c", 1)
    for pieces in cuts(f"<think>a</think>b STOP\n{call}"):
        found = read(shape, pieces, ["STOP"])
        assert (found.content, found.calls) == ("b ", [])


def test_what_may_begin_a_stop_string_is_content_where_a_call_follows() -> None:
    for pieces in cuts(f"b STO\n<tool_call>\n{ADD}\n</tool_call>"):
        assert read(TAGGED, pieces, ["STOP"]).content == "b STO"
