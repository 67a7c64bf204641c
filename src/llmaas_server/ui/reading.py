"""The text of a file that somebody drops on a page: bounded, and nothing of it is kept."""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable
from html.parser import HTMLParser

from pypdf import PdfReader

from llmaas_server.errors import Problem

MOST_BYTES = 20 * 1024 * 1024
MOST_PAGES = 2000
MOST_CHARACTERS = 5_000_000

# Not `head`: pages may leave its end out.
_SKIPPED = frozenset({"title", "script", "style", "noscript", "template", "svg"})
_BLOCKS = frozenset(
    {
        *("address", "article", "aside", "blockquote", "br", "dd", "div", "dl", "dt"),
        *("figcaption", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header"),
        *("hr", "li", "main", "nav", "ol", "p", "pre", "section", "table", "td", "th"),
        *("tr", "ul"),
    }
)


def text_of(name: str, content: bytes) -> str:
    """The text of a file; its name says what it is. Blocks.

    Raises Problem `unsupported_media_type`, `invalid_text`, `invalid_request`, `body_too_large`.
    """
    suffix = name[name.rfind(".") :].lower() if "." in name else ""
    if suffix not in SUFFIXES:
        raise Problem(
            "unsupported_media_type",
            f"{suffix or 'a file without an ending'} cannot be read",
            hint=f"These can: {', '.join(SUFFIXES)}. Or paste the text.",
        )
    text = SUFFIXES[suffix](content).replace("\x00", "")
    if len(text) > MOST_CHARACTERS:
        raise Problem(
            "body_too_large", f"the file has {len(text)} characters, {MOST_CHARACTERS} is the most"
        )
    if not text.strip():
        raise Problem(
            "invalid_request",
            "there is no text in the file",
            hint="Pages that were scanned are pictures: they need text recognition first.",
        )
    return text.strip()


def _plain(content: bytes) -> str:
    try:
        marked = content[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        return content.decode("utf-16" if marked else "utf-8-sig")
    except UnicodeDecodeError:
        pass
    raise Problem("invalid_text", "the file is not UTF-8", hint="Save it as UTF-8, or paste it.")


def _html(content: bytes) -> str:
    parser = _Text()
    parser.feed(_plain(content))
    parser.close()
    return parser.text


def _pdf(content: bytes) -> str:
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise Problem(
                "invalid_request", "the PDF is locked", hint="Save it without a password."
            )
        if len(reader.pages) > MOST_PAGES:
            raise Problem(
                "body_too_large", f"the PDF has {len(reader.pages)} pages, {MOST_PAGES} is the most"
            )
        return "\n\n".join(page.extract_text() for page in reader.pages)
    except Problem:
        raise
    except NotImplementedError as error:  # a lock by certificate, a compression of its own
        raise Problem(
            "invalid_request",
            f"the PDF cannot be read: {error}",
            hint="Print it into a new PDF, or paste its text.",
        ) from error
    except Exception as error:  # what a damaged file makes of its reader cannot be foreseen
        raise Problem(
            "invalid_request", "the PDF cannot be read: it is damaged", hint="Paste its text."
        ) from error


class _Text(HTMLParser):
    """What people see of a page, its blocks on lines of their own."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._pieces: list[str] = []
        self._skipping: list[str] = []

    @property
    def text(self) -> str:
        lines = (" ".join(line.split()) for line in "".join(self._pieces).split("\n"))
        kept: list[str] = []
        for line in lines:
            if line or (kept and kept[-1]):
                kept.append(line)
        return "\n".join(kept)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _SKIPPED:
            self._skipping.append(tag)
        elif tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if self._skipping and self._skipping[-1] == tag:
            self._skipping.pop()
        elif tag in _BLOCKS:
            self._pieces.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:  # one line, not one at each end
            self._pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._pieces.append(data.replace("\n", " "))


SUFFIXES: dict[str, Callable[[bytes], str]] = {
    ".txt": _plain,
    ".md": _plain,
    ".html": _html,
    ".htm": _html,
    ".pdf": _pdf,
}
"""Ending -> what reads such files."""
