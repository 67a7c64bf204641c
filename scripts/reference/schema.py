"""JSON schema in words, as Markdown."""

from __future__ import annotations

from llmaas_server.api.schemas import Schema
from llmaas_server.api.words import Piece, words_of


def kind(schema: Schema) -> str:
    """`list (1 to 1024 items) of text`."""
    return "".join(map(_written, words_of(schema)))


def _written(piece: Piece) -> str:
    match piece.role:
        case "shape":
            return f"[{piece.text}](#{piece.text.lower()})"
        case "codes":
            return f"[{piece.text}](errors.md)"
        case "code":
            return f"`{piece.text}`"
        case "words":
            return piece.text
