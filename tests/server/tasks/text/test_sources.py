"""Spans and coverage."""

from __future__ import annotations

from llmaas_server.tasks.text.sources import Source, coverage, merge, sentences_of

DOCUMENTS = ("  One. Two.\n", "三。")


def test_sentences_tile_the_documents() -> None:
    sentences = sentences_of(DOCUMENTS)
    assert "".join(s.text(DOCUMENTS) for s in sentences) == "".join(DOCUMENTS)
    assert [s.document for s in sentences] == [0, 0, 1]
    assert coverage(sentences, DOCUMENTS) == 1.0


def test_the_visible_span_has_no_white_space() -> None:
    first = sentences_of(DOCUMENTS)[0]
    assert first.visible(DOCUMENTS) == Source(0, 2, 6)
    assert first.visible(DOCUMENTS).text(DOCUMENTS) == "One."


def test_coverage_counts_characters_once() -> None:
    assert coverage([Source(0, 0, 6), Source(0, 3, 7)], ("0123456789",)) == 0.7


def test_merge() -> None:
    spans = [Source(0, 5, 8), Source(0, 0, 5), Source(1, 8, 9), Source(0, 9, 10)]
    assert merge(spans) == [Source(0, 0, 8), Source(0, 9, 10), Source(1, 8, 9)]
