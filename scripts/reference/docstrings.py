"""Docstrings as Markdown: paragraphs, examples, and the sections `Args` and `Raises` as lists."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator

_SECTION = re.compile(r"^(Args|Raises|Returns|Yields):$")
_ITEM = re.compile(r"^ {4}(\*{0,2}\w[\w., *]*):\s+(.*)$")
_TITLES = {"Args": "Arguments", "Raises": "Raises", "Returns": "Returns", "Yields": "Yields"}


def markdown(text: str | None) -> Iterator[str]:
    """The lines of a docstring in Google's way; examples in it are indented by four."""
    block: list[str] = []
    section = ""
    for line in [*inspect.cleandoc(text or "").splitlines(), ""]:
        if found := _SECTION.match(line):
            section = found[1]
            yield from (f"{_TITLES[section]}:", "")
        elif line.strip():
            block.append(line)
        elif block:
            yield from _items(block) if section else _paragraph(block)
            yield ""
            block.clear()


def _paragraph(lines: list[str]) -> Iterator[str]:
    text = textwrap.dedent("\n".join(lines))
    yield from ("```py", text, "```") if _is_code(text) else lines


def _is_code(text: str) -> bool:
    """Sentences are no Python, and single words no example."""
    try:
        return "(" in text and bool(ast.parse(text).body)
    except SyntaxError:
        return False


def _items(lines: list[str]) -> Iterator[str]:
    """A list of what a section names; what goes on with deeper indentation belongs to its item."""
    gathered: list[str] = []
    for line in lines:
        if item := _ITEM.match(line):
            gathered.append(f"- `{item[1]}`: {item[2]}")
        elif gathered:
            gathered[-1] += f" {line.strip()}"
        else:
            gathered.append(line.strip())
    yield from gathered
