"""What a docstring says of a function and of its parameters: Google's, NumPy's or Sphinx's way."""

from __future__ import annotations

import inspect
import re

_HEADING = re.compile(
    r"^(args|arguments|parameters|params|returns?|yields?|raises|examples?|notes?)\s*:?\s*$",
    re.IGNORECASE,
)
_OF_PARAMETERS = re.compile(r"^(args|arguments|parameters|params)\b", re.IGNORECASE)
_GOOGLE = re.compile(r"^(?P<name>\*{0,2}\w+)\s*(?:\([^)]*\))?\s*:\s*(?P<text>.*)$")
_NUMPY = re.compile(r"^(?P<name>\*{0,2}\w+)\s*(?::.*)?$")
_SPHINX = re.compile(r"^:param\s+(?:[^:]*\s)?(?P<name>\w+)\s*:\s*(?P<text>.*)$")
_FIELD = re.compile(r"^:\w+[^:]*:")
_RULE = re.compile(r"^-{3,}$")


def read(docstring: str | None) -> tuple[str, dict[str, str]]:
    """The description, and that of each parameter that has one."""
    lines = inspect.cleandoc(docstring or "").splitlines()
    first = next((at for at in range(len(lines)) if _begins_section(lines, at)), len(lines))
    told: dict[str, list[str]] = {}
    of_parameters = False
    name: str | None = None
    indent = 0
    for at, line in enumerate(lines[first:], start=first):
        text = line.strip()
        depth = len(line) - len(line.lstrip())
        if _begins_section(lines, at) and depth == 0:
            name = None
            if sphinx := _SPHINX.match(text):
                name, indent = str(sphinx["name"]), 0
                told[name] = [sphinx["text"]]
            of_parameters = _OF_PARAMETERS.match(text) is not None
            continue
        if _RULE.match(text) or not text:
            continue
        if of_parameters and (name is None or depth <= indent):
            found = _NUMPY.match(text) if depth == 0 else _GOOGLE.match(text)
            name = found["name"].lstrip("*") if found else None
            indent = depth
            if found and name is not None:
                told[name] = [found["text"]] if depth else []
        elif name is not None:
            told[name].append(text)
    described = {name: " ".join(filter(None, texts)) for name, texts in told.items()}
    return _paragraphs(lines[:first]), {name: text for name, text in described.items() if text}


def _begins_section(lines: list[str], at: int) -> bool:
    line = lines[at]
    if line[:1].isspace():
        return False
    underlined = at + 1 < len(lines) and _RULE.match(lines[at + 1].strip()) is not None
    headed = _HEADING.match(line) is not None and (line.rstrip().endswith(":") or underlined)
    return headed or _FIELD.match(line) is not None


def _paragraphs(lines: list[str]) -> str:
    blocks = "\n".join(line.strip() for line in lines).strip().split("\n\n")
    return "\n\n".join(" ".join(block.split()) for block in blocks if block.strip())
