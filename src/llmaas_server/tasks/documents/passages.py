"""Documents as passages: windows of whole sentences that fit a prompt. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llmaas_server.runtime.interface import Tokenizer
from llmaas_server.tasks.text.sources import Source, sentences_of

LONGEST = 120
"""Tokens of a passage, as the model that chats counts them."""
OVERLAP = 1
"""Sentences that a passage shares with the one before: what it says of them stays near them."""


def cut(documents: Sequence[str], tokenizer: Tokenizer, longest: int) -> list[Source]:
    """Every character is in a passage. A sentence that is too long for one is cut."""
    passages: list[Source] = []
    window: list[tuple[Source, int]] = []
    is_new = False  # whether the window has a sentence that is in no passage yet
    for piece, tokens in _pieces(documents, tokenizer, longest):
        elsewhere = bool(window) and window[-1][0].document != piece.document
        if window and (elsewhere or _length(window) + tokens > longest):
            if is_new:
                passages.append(_span(window))
            window = [] if elsewhere else window[-OVERLAP:]
            if _length(window) + tokens > longest:
                window = []
        window.append((piece, tokens))
        is_new = True
    if window:
        passages.append(_span(window))
    return passages


def _pieces(
    documents: Sequence[str], tokenizer: Tokenizer, longest: int
) -> Iterator[tuple[Source, int]]:
    """Sentences with their tokens, in order; those that are too long in halves of halves."""
    for sentence in sentences_of(documents):
        yield from _halves(sentence, documents, tokenizer, longest)


def _halves(
    piece: Source, documents: Sequence[str], tokenizer: Tokenizer, longest: int
) -> Iterator[tuple[Source, int]]:
    tokens = len(tokenizer.encode(piece.text(documents).strip(), special=False))
    length = piece.end - piece.start
    if tokens <= longest or length == 1:
        yield piece, tokens
        return
    text = piece.text(documents)
    middle = text.rfind(" ", length // 4, length // 2) + 1 or length // 2
    for start, end in ((0, middle), (middle, length)):
        half = Source(piece.document, piece.start + start, piece.start + end)
        yield from _halves(half, documents, tokenizer, longest)


def _length(window: Sequence[tuple[Source, int]]) -> int:
    return sum(tokens for _, tokens in window)


def _span(window: Sequence[tuple[Source, int]]) -> Source:
    first, last = window[0][0], window[-1][0]
    return Source(first.document, first.start, last.end)
