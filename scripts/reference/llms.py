"""docs/llms.txt, from the navigation: what there is to read, for programs that read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_ENTRY = re.compile(r"^( +)- (?:\"([^\"]+)\"|([^:]+)):(?: ([\w/.-]+\.md))?$")


def lines() -> Iterator[str]:
    yield "# llmaas"
    yield ""
    yield "> Language models as a service, on your own machine: a server that one command starts,"
    yield "> and a typed Python client that classifies, summarizes, chats and embeds. Apache-2.0."
    yield ""
    yield "`from llmaas_client import Client`; `llmaas up` starts the server. Code blocks in"
    yield "these pages run in tests."
    started = False
    for indent, title, path in _navigation():
        top = len(indent) == 2
        if path is None or (top and not started):
            yield from ("", f"## {title if path is None else 'Start here'}", "")
            started = True
        if path is not None:
            yield f"- [{title}]({path}): {_first_sentence(ROOT / 'docs' / path)}"


def _navigation() -> Iterator[tuple[str, str, str | None]]:
    """Indentation, title, and the page; a heading has none."""
    text = (ROOT / "mkdocs.yml").read_text("utf-8").partition("\nnav:\n")[2]
    for line in text.splitlines():
        found = _ENTRY.match(line)
        if found is None:
            raise ValueError(f"mkdocs.yml: {line!r} is no entry of the navigation")
        yield found[1], found[2] or found[3], found[4]


def _first_sentence(path: Path) -> str:
    """Of the first paragraph that is prose, without its links."""
    for paragraph in path.read_text("utf-8").split("\n\n"):
        if paragraph[:1].isalpha() or paragraph[:1] in "`[":
            plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", " ".join(paragraph.split()))
            return re.split(r"(?<=[.:。])(?: |$)", plain)[0].rstrip(":")
    return ""
