"""What is read from a file, and what is said of one that cannot be read."""

from __future__ import annotations

import random

import pytest

from llmaas_server.errors import Problem
from llmaas_server.ui import reading
from llmaas_server.ui.reading import text_of
from support.pdfs import pdf

TEXT = "The library opens again on Monday."


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", b"\xef\xbb\xbfgr\xc3\xbc\xc3\x9fe\n", "grüße"),
        ("a.txt", "grüße".encode("utf-16"), "grüße"),
        ("A.MD", b"# Title\n\ntext", "# Title\n\ntext"),
        ("a.htm", b"<p>one &amp; two<script>no()</script><p>three", "one & two\nthree"),
        ("a.html", b"<head><title>no</title></head><body>yes</body>", "yes"),
        ("a.html", b"<head><title>no</title><body><p>no end of the head", "no end of the head"),
        ("a.html", b"one<br>two<br/>three<svg><title>no</title></svg>", "one\ntwo\nthree"),
        ("a.b.pdf", pdf(TEXT, "Page two."), f"{TEXT}\n\nPage two."),
    ],
)
def test_what_is_read(name: str, content: bytes, text: str) -> None:
    assert text_of(name, content) == text


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_pdf_that_all_may_read_is_read(algorithm: str) -> None:
    assert text_of("a.pdf", pdf(TEXT, password="", algorithm=algorithm)) == TEXT


@pytest.mark.parametrize("algorithm", ["RC4-128", "AES-128", "AES-256"])
def test_a_locked_pdf_is_refused(algorithm: str) -> None:
    with pytest.raises(Problem, match="locked") as raised:
        text_of("a.pdf", pdf(TEXT, password="secret", algorithm=algorithm))
    assert "without a password" in str(raised.value.hint)


@pytest.mark.parametrize(
    ("name", "content", "code", "said"),
    [
        ("a.docx", b"x", "unsupported_media_type", ".docx cannot be read"),
        ("a", b"x", "unsupported_media_type", "without an ending"),
        ("a.txt", b"\xff\x00\xfe", "invalid_text", "not UTF-8"),
        ("a.txt", b" \n\x00", "invalid_request", "no text"),
        ("a.html", b"<script>only()</script>", "invalid_request", "no text"),
        ("scanned.pdf", pdf(""), "invalid_request", "no text"),
        (
            "odd.pdf",
            pdf(TEXT).replace(b"/FlateDecode", b"/OtherDecode"),
            "invalid_request",
            "/Other",
        ),
        ("a.pdf", b"", "invalid_request", "damaged"),
        ("a.pdf", b"%PDF-1.7\n", "invalid_request", "damaged"),
        ("a.pdf", b"a text that is named a PDF", "invalid_request", "damaged"),
    ],
)
def test_what_cannot_be_read(name: str, content: bytes, code: str, said: str) -> None:
    with pytest.raises(Problem, match=said) as raised:
        text_of(name, content)
    assert raised.value.code == code
    assert raised.value.hint


def test_what_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MOST_CHARACTERS", 5)
    monkeypatch.setattr(reading, "MOST_PAGES", 1)
    for name, content in (("a.txt", b"sixsix"), ("a.pdf", pdf("one", "two"))):
        with pytest.raises(Problem, match="is the most") as raised:
            text_of(name, content)
        assert raised.value.code == "body_too_large"


def test_a_damaged_pdf_is_read_or_refused() -> None:
    """Whatever its reader stumbles over is told as damage."""
    whole = pdf(TEXT, "Page two.")
    chance = random.Random(7)
    codes = set()
    for _ in range(150):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 20)):
            damaged[chance.randrange(len(damaged))] = chance.choice(b"0123456789<>[]/()R \xff")
        codes.add(outcome(bytes(damaged)))
    assert codes == {"read", "invalid_request"}


def outcome(content: bytes) -> str:
    try:
        text_of("a.pdf", content)
    except Problem as problem:
        return problem.code
    return "read"
