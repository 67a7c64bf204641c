"""Files that people drop on a page: their text, or what is wrong with them."""

from __future__ import annotations

import time

import pytest

from llmaas_server.errors import Problem
from llmaas_server.ui.apart import text_apart
from llmaas_server.ui.reading import MOST_CHARACTERS, text_of
from support.pdfs import locked, pdf_of

HTML = b"""<html><head><title>No</title><style>p {}</style></head><body><h1>Roof</h1>
<p>It is <b>new</b>.</p><script>alert(1)</script><ul><li>one<li>two</ul></body></html>"""


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", "Grüße\n".encode(), "Grüße"),
        ("a.TXT", b"\xef\xbb\xbfmarked", "marked"),
        ("a.md", "# 标题".encode("utf-16"), "# 标题"),
        ("a.txt", b"a\x00b", "ab"),
        ("page.html", HTML, "Roof\n\nIt is new.\n\none\ntwo"),
        ("report.pdf", pdf_of("First page.", "Second page."), "First page.\n\nSecond page."),
    ],
)
def test_texts(name: str, content: bytes, text: str) -> None:
    lines = [line for line in text_of(name, content).splitlines() if line]
    assert lines == [line for line in text.splitlines() if line]


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.docx", b"PK", "unsupported_media_type", ".docx cannot be read"),
        ("noending", b"a", "unsupported_media_type", "without an ending"),
        ("a.txt", b"\xff\x00\xff", "invalid_text", "not UTF-8"),
        ("a.txt", b" \n ", "invalid_request", "no text"),
        ("a.txt", b"a" * (MOST_CHARACTERS + 1), "body_too_large", "is the most"),
        ("scan.pdf", pdf_of("", ""), "invalid_request", "no text"),
        ("a.pdf", b"%PDF-1.4 and nothing", "invalid_request", "damaged"),
        ("a.pdf", pdf_of("text")[:200], "invalid_request", "damaged"),
        ("a.pdf", locked(pdf_of("secret"), "sesame"), "invalid_request", "locked"),
    ],
)
def test_what_cannot_be_read(name: str, content: bytes, code: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as caught:
        text_of(name, content)
    assert caught.value.code == code
    assert caught.value.hint


async def test_apart_it_is_the_same() -> None:
    assert await text_apart("a.pdf", pdf_of("Over there.")) == "Over there."
    with pytest.raises(Problem, match="locked") as caught:
        await text_apart("a.pdf", locked(pdf_of("secret"), "sesame"))
    assert (caught.value.code, caught.value.hint) == (
        "invalid_request", "Save it without a password.",
    )  # fmt: skip


async def test_a_file_that_takes_too_long_is_left() -> None:
    began = time.monotonic()
    with pytest.raises(Problem, match="takes more than"):
        await text_apart("a.pdf", pdf_of(*["page"] * 500), seconds=0.05)
    assert time.monotonic() - began < 5


async def test_a_file_that_takes_too_much_costs_its_own_process() -> None:
    """What the child reads with has 100 MiB before it begins; there is no room for the file."""
    large = pdf_of(*["page"] * 20_000)
    with pytest.raises(Problem, match="too much memory, or it is damaged"):
        await text_apart("a.pdf", large, memory_bytes=100 << 20)
