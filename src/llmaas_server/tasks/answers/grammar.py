"""The grammar of a whole answer: what was thought, then text, a format, or calls of tools. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from llmaas_client.wire.chat import ResponseFormat
from llmaas_client.wire.tools import Tool
from llmaas_server.tasks.tools.formats import CallFormat

from .formats import COMPACT, grammar_of
from .marks import quoted
from .shape import Shape

MOST_CALLS = 32
"""In one answer: a small model that may call on and on does nothing else."""

_LINE_ENDS = '("\\n" "\\n"?)?'


@dataclass(frozen=True, slots=True)
class Calls:
    """Which tools an answer may call, whether it must, and how often."""

    tools: Sequence[Tool]
    required: bool
    most: int


def answer_grammar(
    shape: Shape, wanted: ResponseFormat | None, calls: Calls | None, *, never: str = ""
) -> str | None:
    """As `Model.grammar` takes it; None where an answer may be anything.

    `never` is a mark that text must not begin with. Raises Problem `invalid_request`.
    """
    if wanted is None and calls is None and not never:
        return None
    if wanted is not None and calls is None and shape.thinking is None:
        return grammar_of(wanted)
    return _Composition(shape, never).compose(wanted, calls)


def arguments_grammar(tool: Tool) -> str:
    """Of the arguments of one tool alone."""
    return json.dumps({"grammars": [_arguments("arguments", tool)]})


class _Composition:
    def __init__(self, shape: Shape, never: str) -> None:
        self._shape = shape
        self._never = never
        self._rules: list[str] = []
        self._grammars: list[dict[str, Any]] = []

    def compose(self, wanted: ResponseFormat | None, calls: Calls | None) -> str:
        bodies: list[str] = []
        if wanted is not None:
            self._grammars.append(_named("format", grammar_of(wanted)))
            bodies.append("@format")
        elif calls is None or not calls.required:
            bodies.append(self._text())
        if calls is not None:
            bodies.append(self._calls(calls, said=not bodies or bodies == ["TEXT"]))
        start = " | ".join(bodies)
        lark = "\n".join(
            [
                "%llguidance {}",
                f"start: {self._thought()} ({start})",
                r"ANY: /(.|\n)*/",
                *self._rules,
            ]
        )
        answer = {"name": "answer", "lark_grammar": lark}
        return json.dumps({"grammars": [answer, *self._grammars]})

    def _thought(self) -> str:
        """What may come before the answer itself."""
        shape = self._shape
        if shape.thinking is None:
            return ""
        lark = shape.marks.lark
        opens, closes = shape.thinking.marks
        if closes in shape.marks.ids:
            end = f"ANY {lark(closes)}"
        else:
            self._rules.append(f"thought[lazy]: ANY {quoted(closes)}")
            end = "thought"
        if shape.begun:
            return f"{end} {_LINE_ENDS}"
        return f"({lark(opens)} {end} {_LINE_ENDS})?"

    def _text(self) -> str:
        """A rule for anything, but for what has a meaning of its own at its beginning."""
        calls = self._shape.calls
        nots = [r"\s*" + _pattern(self._never)] if self._never else []
        if calls is not None and not calls.opens:
            nots.append(_pattern(calls.head))
        self._rules.append(
            " & ".join([r"TEXT: /(.|\n)*/", *(rf"~/{pattern}(.|\n)*/" for pattern in nots)])
        )
        return "TEXT"

    def _calls(self, calls: Calls, said: bool) -> str:
        """`said`: whether text may come before them."""
        form, lark = self._shape.calls, self._shape.marks.lark
        assert form is not None, "calls without a format"
        names: list[str] = []
        for number, tool in enumerate(calls.tools):
            self._grammars.append(_arguments(f"arguments_{number}", tool))
            names.append(f"{quoted(tool.name)} {lark(form.middle)} @arguments_{number}")
        self._rules.append(f"call: {lark(form.head)} ({' | '.join(names)}) {lark(form.tail)}")
        more = ""
        if form.between is not None and calls.most > 1:
            self._rules.append(f"another: {lark(form.between)} call")
            more = f"another{{0,{calls.most - 1}}}"
        opening = self._opening(form, said and not calls.required)
        return f"{opening} call {more} {lark(form.closes)}"

    def _opening(self, form: CallFormat, said: bool) -> str:
        lark = self._shape.marks.lark
        if not said or not form.opens:
            return lark(form.opens)
        rest = lark(form.opens.removeprefix(form.starts))
        if form.starts in self._shape.marks.ids:
            return f"ANY {lark(form.starts)} {rest}"
        self._rules.append(f"opening[lazy]: ANY {quoted(form.starts)}")
        return f"opening {rest}"


def _named(name: str, grammar: str) -> dict[str, Any]:
    """A grammar of llguidance, which is Lark or JSON around one, as a part of another."""
    if not grammar.startswith("{"):
        return {"name": name, "lark_grammar": grammar}
    (only,) = json.loads(grammar)["grammars"]
    return {**only, "name": name}


def _arguments(name: str, tool: Tool) -> dict[str, Any]:
    """What is not named is not an argument, unless the schema says otherwise."""
    schema = dict(tool.parameters)
    closed = not schema.keys() & {"$ref", "allOf", "anyOf", "oneOf", "patternProperties", "not"}
    if closed:
        schema.setdefault("additionalProperties", False)
    schema["type"] = "object"
    schema["x-guidance"] = {"whitespace_pattern": COMPACT}
    return {"name": name, "json_schema": schema}


def _pattern(text: str) -> str:
    """The text as a regular expression between slashes."""
    return re.escape(text).replace("/", r"\/")
